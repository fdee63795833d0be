"""A function of JAX that takes parameters, a sequence and targets, and gives a loss: its gradients are those of JAX."""

from __future__ import annotations

import functools
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.array_types import Array
from rnn_harness.options import Keywords
from rnn_harness.validation.cells.callable_facts import name_of
from rnn_harness.validation.cells.loss_function import COMPUTES_A_LOSS, LossNumbers, LossValues, drawn_numbers
from rnn_harness.validation.cells.own_documentation import function_texts
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.handwritten.argument_names import all_arguments, required_arguments
from rnn_harness.validation.loading.adapters.handwritten.messages import computes_a_loss
from rnn_harness.validation.loading.adapters.inferred_weights.size_terms import INFERENCE_SIZES
from rnn_harness.validation.loading.adapters.jax_functions import JaxFunction, import_jax
from rnn_harness.validation.loading.adapters.numpy_functions import functions_of_module
from rnn_harness.validation.loading.adapters.parameter_makers import make_parameters, possible_makers
from rnn_harness.validation.loading.find_losses import loss_role
from rnn_harness.validation.loading.named_arguments import named_arguments
from rnn_harness.validation.loading.torch_losses import SequenceForm

_MOST_CALLS = 600
_BATCH = re.compile(r"^(batch|data|examples?|samples?|inputs_and_targets|xy)$", re.I)
_CUT_ON_PURPOSE = re.compile(r"stop_gradient|custom_vjp|custom_jvp|truncat", re.I)
_WHOLE_GRADIENT = re.compile(
    r"\b(?:full|whole|entire|complete|un-?truncated|exact)\b[^.\n]{0,40}\b(?:bptt|back-?prop\w*|gradients?)"
    r"|gradients?\b[^.\n]{0,40}\b(?:full|whole|entire|complete|exact|through (?:time|all))",
    re.I,
)
"""What a function says whose gradients are those of everything, though something in it cuts or replaces them."""


@dataclass(frozen=True)
class JaxLoss:
    """A loss, and how it is called.

    Attributes:
        name: What it is called.
        function: What JAX differentiates, compiled or not.
        weights: The name of the argument that takes all parameters.
        tree: Those parameters, nested as it takes them.
        inputs: How its sequence goes in.
        targets: How its targets go in.
        arrange: Makes the arguments by name of a sequence, targets and states.
        states: How many states it takes.
        state_shapes: The shape of each state.
        adds_up: Whether the losses of pieces must give that of all steps: any loss may be written in JAX.
        result: What its gradients are the slopes of, in a word.
        gives: What it gives.
        steps: As in `LossFunction`: any number.
        compiled: What is compiled of it, for every structure of its arguments.
    """

    name: str
    function: Callable[..., Any]
    weights: str
    tree: Any
    inputs: SequenceForm
    targets: SequenceForm
    arrange: Callable[[Any, Any, Sequence[Any]], Keywords]
    states: int = 0
    state_shapes: tuple[tuple[int, ...], ...] = ()
    adds_up: bool = False
    result: str = "loss"
    gives: str = COMPUTES_A_LOSS
    steps: int = 0
    compiled: dict[str, Callable[..., Any]] = field(default_factory=dict, compare=False)

    @property
    def text(self) -> str:
        """Its name and arguments."""
        return f"{self.name}({', '.join(argument.name for argument in required_arguments(self.function))})"

    @property
    def cannot_be_driven(self) -> str:
        """Why it is no cell."""
        return computes_a_loss(self.name, [argument.name for argument in required_arguments(self.function)])

    @property
    def parameters(self) -> Mapping[str, Array]:
        """The arrays that it computes with, by their paths."""
        return JaxFunction(lambda _: (), self.tree).initial_values

    def arguments(self, numbers: LossNumbers) -> Keywords:
        """Return everything but the parameters, by name.

        Args:
            numbers: What it is called with.
        """
        x, y = self.inputs.value(numbers.tokens, 1).numpy(), self.targets.value(numbers.targets, 2).numpy()
        return self.arrange(_narrow(x), _narrow(y), [np.asarray(state) for state in numbers.states])

    def run(self, numbers: LossNumbers) -> LossValues:
        """Call it, as `LossFunction.run` says; the gradients are those of JAX."""
        jax = import_jax()
        if "run" not in self.compiled:
            self.compiled["run"] = jax.jit(jax.value_and_grad(self.loss_and_results, has_aux=True))
        with default_format(jax, double=True):
            structure = jax.tree_util.tree_structure(self.tree)
            leaves = [jax.numpy.asarray(value) for value in numbers.parameters.values()]
            tree = jax.tree_util.tree_unflatten(structure, leaves)
            (loss, results), gradients = self.compiled["run"](tree, self.arguments(numbers))
            values = [np.asarray(value) for value in jax.tree_util.tree_leaves(gradients)]
        fitting = tuple(np.asarray(value) for value in results if np.shape(value) in self.state_shapes)
        states = fitting if len(fitting) == len(self.state_shapes) else ()
        return LossValues(float(loss), dict(zip(numbers.parameters, values, strict=True)), states)

    def loss_and_results(self, tree: Any, arguments: Keywords) -> tuple[Any, list[Any]]:
        """Compute the loss, which is the first number, and everything that comes back.

        Args:
            tree: The parameters, nested as the function takes them.
            arguments: Everything else, by name.

        Raises:
            ValueError: No number comes back.
        """
        results = import_jax().tree_util.tree_leaves(self.function(**{self.weights: tree}, **arguments))
        losses = [value for value in results if np.shape(value) == () and "float" in str(value.dtype)]
        if not losses:
            raise ValueError("it gives no loss")
        return losses[0], results


def _narrow(value: Array) -> Array:
    """Tokens in the format that JAX has for them."""
    return value.astype(np.int32) if value.dtype.kind == "i" else value


def jax_loss(function: Callable[..., Any]) -> JaxLoss | None:
    """Find how a function is called that computes a loss on JAX; None if it is none.

    Args:
        function: Any function that names JAX, compiled or not. Where it cuts or replaces gradients and does not say
            that they are those of everything, they may be meant so, and it is none.
    """
    arguments = [argument for argument in all_arguments(function) if argument.default is argument.empty]
    names = [argument.name for argument in arguments]
    weights = [name for name in names if loss_role(name) == "weights" and not _BATCH.match(name)]
    if len(weights) != 1 or not _is_of_everything(function):
        return None
    data = [name for name in names if name not in weights]
    for loss in itertools.islice(_possible(function, weights[0], data), _MOST_CALLS):
        try:
            shape = _shape_of(loss)
            values = loss.run(drawn_numbers(loss, 0)) if shape else None
            numbers = drawn_numbers(loss, 0)
            other = loss.run(replace(numbers, targets=numbers.targets[::-1])) if values is not None else None
        except Exception:  # a function that is called in a wrong way may raise anything
            continue
        if values is None or other is None or not np.isfinite(values.loss) or other.loss == values.loss:
            continue
        if _mixes_steps(loss):
            return loss
    return None


def _mixes_steps(loss: JaxLoss) -> bool:
    """Whether what the last step does to a loss depends on the first, as it does not where steps are taken for rows."""
    numbers = drawn_numbers(loss, 0)
    first, *middle, last = numbers.tokens
    others = (first + 1) % 3, (last + 1) % 3
    losses = [
        loss.run(replace(numbers, tokens=(begin, *middle, end))).loss
        for begin, end in itertools.product((first, others[0]), (last, others[1]))
    ]
    mixed = losses[3] - losses[2] - losses[1] + losses[0]
    return abs(mixed) > STRUCTURAL["float64"] * abs(losses[0])


def _shape_of(loss: JaxLoss) -> bool:
    """Whether a call gives a number, which JAX says without computing it."""
    jax = import_jax()
    with default_format(jax, double=True):
        result = jax.eval_shape(loss.loss_and_results, loss.tree, loss.arguments(drawn_numbers(loss, 0)))
    return bool(result[0].shape == ())


def _is_of_everything(function: Callable[..., Any]) -> bool:
    """Whether the gradients are those of the loss by what the function says and does."""
    called = functions_of_module(function)
    sources = [_source(other) for other in called]
    texts = [text for other in called for text in function_texts(other)]
    is_cut = any(_CUT_ON_PURPOSE.search(source) for source in sources)
    return not is_cut or any(_WHOLE_GRADIENT.search(text) for text in texts)


def _source(function: object) -> str:
    """The source of a function; empty where there is none."""
    try:
        return inspect.getsource(function)  # type: ignore[arg-type]  # what is no function raises
    except (OSError, TypeError):
        return ""


def _possible(function: Callable[..., Any], weights: str, data: Sequence[str]) -> Iterator[JaxLoss]:
    """Yield every way of calling it."""
    arrangements = list(_arrangements(function, data))
    for tree in _trees(function) if arrangements else ():
        leaves = JaxFunction(lambda _: (), tree).initial_values.values()
        axes = sorted({size for value in leaves for size in value.shape})
        for arrange, states in arrangements:
            for x, y, shape in _forms(axes, states):
                yield JaxLoss(name_of(function), function, weights, tree, x, y, arrange, states, (shape,) * states)


def _forms(axes: Sequence[int], states: int) -> Iterator[tuple[SequenceForm, SequenceForm, tuple[int, ...]]]:
    """Yield the forms of a sequence, its targets and its states, each with a batch of one row or without."""
    for grid, width in itertools.product(("T1", "1T", "T"), (0, *axes)):
        x = SequenceForm(grid, width)  # type: ignore[arg-type]  # they are the names of axes
        numbers = [SequenceForm(grid), SequenceForm(grid, is_flat=True)]  # type: ignore[arg-type]
        numbers.append(SequenceForm(grid, is_of_rows=True))  # type: ignore[arg-type]
        vectors = [SequenceForm(grid, size) for size in axes]  # type: ignore[arg-type]
        vectors += [replace(form, is_of_rows=True) for form in vectors]
        shapes = [shape for d in axes for shape in ((1, d), (d,))] if states else [()]
        for y, shape in itertools.product((*vectors, *numbers) if width else numbers, shapes):
            yield x, y, shape


def _trees(function: Callable[..., Any]) -> Iterator[Any]:
    """Yield the parameters that a function beside the loss makes."""
    for maker in possible_makers(inspect.unwrap(function)):
        sized = named_arguments(maker, {})
        attempts: list[Callable[[], Any]] = [
            functools.partial(maker, import_jax().random.PRNGKey(0)),  # its own sizes may stand in the loss, too
            *([functools.partial(maker, **sized)] if sized else []),
            functools.partial(make_parameters, maker, *INFERENCE_SIZES),
        ]
        for attempt in attempts:
            try:
                tree = attempt()
                leaves = JaxFunction(lambda _: (), tree).initial_values
            except Exception:  # a user's function may raise anything
                continue
            if leaves and all(value.dtype.kind == "f" for value in leaves.values()):
                yield tree


def _arrangements(
    function: Callable[..., Any], data: Sequence[str]
) -> Iterator[tuple[Callable[[Any, Any, Sequence[Any]], Keywords], int]]:
    """Yield how a sequence, targets and states become arguments, and how many states there are."""
    if len(data) == 1 and _BATCH.match(data[0]):
        yield lambda x, y, _: {data[0]: (x, y)}, 0
        keys = _keys_of(function, data[0])
        if keys is not None:
            yield lambda x, y, _: {data[0]: dict(zip(keys, (x, y), strict=True))}, 0
        return
    roles = {name: loss_role(name) for name in data}
    by_role = {role: [name for name in data if roles[name] == role] for role in ("x", "target", "state")}
    if len(by_role["x"]) != 1 or len(by_role["target"]) != 1 or sum(map(len, by_role.values())) != len(data):
        return

    def arranged(x: Any, y: Any, states: Sequence[Any]) -> Keywords:
        given = {by_role["x"][0]: x, by_role["target"][0]: y}
        return {**given, **dict(zip(by_role["state"], states, strict=True))}

    yield arranged, len(by_role["state"])


def _keys_of(function: Callable[..., Any], batch: str) -> tuple[str, str] | None:
    """The keys under which a function reads inputs and targets from a dictionary; None where it reads others."""
    keys = list(dict.fromkeys(re.findall(rf"\b{batch}\[['\"](\w+)['\"]\]", _source(inspect.unwrap(function)))))
    roles = {loss_role(key): key for key in keys}
    return (roles["x"], roles["target"]) if set(roles) == {"x", "target"} and len(keys) == len(roles) else None
