"""Find out how a NumPy function or method is called that has its loss inside, as models of characters have it.

Such code takes tokens, targets and a state, and gives a loss, the gradients of its weights and the last state; its
weights are attributes of its object, or globals of its module.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.options import Options
from rnn_harness.validation.cells.callable_facts import code_of
from rnn_harness.validation.cells.loss_function import LossValues, drawn_numbers
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    all_arguments,
    gradient_stems,
    methods_of_targets,
    required_arguments,
    role_of,
    takes_targets,
)
from rnn_harness.validation.loading.adapters.handwritten.returned_names import returned_names
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import (
    copy_with_arrays,
    possible_parameters,
    stored_arrays,
)
from rnn_harness.validation.loading.named_arguments import named_arguments

TokenForm = Literal["list", "array", "vectors"]


@dataclass(frozen=True)
class LossCall:
    """A loss, and how it is called.

    Attributes:
        name: What it is called.
        function: The function, or the method of a class without its object.
        holder: The object of a method; None of a function, whose weights are globals of its module.
        parameters: Its weights, by path or name.
        arguments: The roles of its required arguments, in order: ``x``, ``target``, ``h`` or ``c``.
        state_shapes: The shape of each state.
        token_form: Whether tokens go in as a list, as an array, or as a list of vectors with a one at the token.
        vocabulary: The length of such a vector; 0 where tokens go in as numbers.
        adds_up: Whether the losses of pieces must give that of all steps.
    """

    name: str
    function: Callable[..., Any]
    holder: object
    parameters: Mapping[str, Array]
    arguments: tuple[str, ...]
    state_shapes: tuple[tuple[int, ...], ...] = ()
    token_form: TokenForm = "list"
    vocabulary: int = 0
    adds_up: bool = True

    @property
    def text(self) -> str:
        """Its name and arguments."""
        return f"{self.name}({', '.join(argument.name for argument in required_arguments(self.function))})"

    @functools.cached_property
    def _result_names(self) -> tuple[str, ...]:
        """What its return statement calls what it returns."""
        return returned_names(self.function)

    def run(
        self,
        parameters: Mapping[str, Array],
        inputs: tuple[int, ...],
        targets: tuple[int, ...],
        states: tuple[Array, ...],
    ) -> LossValues:
        """Call it on copies of everything.

        Args:
            parameters: All of its parameters, by name.
            inputs: The tokens of the steps.
            targets: The token that is right at each step.
            states: The states before the first step.

        Returns:
            The loss, the gradients and the states.

        Raises:
            ValueError: No loss came back, or no gradient of any parameter.
        """
        remaining = iter([state.copy() for state in states])
        values = [
            self._tokens(inputs) if role == "x" else list(targets) if role == "target" else next(remaining)
            for role in self.arguments
        ]
        copies = {name: np.array(value) for name, value in parameters.items()}
        result, object_arrays = (
            self._call_in_object(copies, values) if self.holder is not None else self._call(copies, values)
        )
        return self._read(result, object_arrays)

    def _tokens(self, tokens: tuple[int, ...]) -> object:
        """Tokens as it takes them."""
        if self.token_form == "vectors":
            return [np.eye(self.vocabulary)[:, [token]] for token in tokens]
        return np.array(tokens) if self.token_form == "array" else list(tokens)

    def _call_in_object(self, parameters: Mapping[str, Array], values: list[Any]) -> tuple[Any, Mapping[str, Array]]:
        """Call the method of a copy of its object, and list the arrays that the copy has then."""
        holder_arrays = stored_arrays(self.holder)
        copied = copy_with_arrays(self.holder, {id(holder_arrays[name]): value for name, value in parameters.items()})
        result = self.function(copied, *values)
        return result, stored_arrays(copied)

    def _call(self, parameters: Mapping[str, Array], values: list[Any]) -> tuple[Any, Mapping[str, Array]]:
        """Call the function with other globals in its module, which are put back."""
        module = self.function.__globals__
        before = {name: module[name] for name in parameters}
        try:
            module.update(parameters)
            return self.function(*values), {}
        finally:
            module.update(before)

    def _read(self, result: Any, object_arrays: Mapping[str, Array]) -> LossValues:
        """Tell loss, gradients and states apart among what came back."""
        parts = list(_named_parts(result, self._result_names))
        scalars = [value for _, value in parts if value.size == 1]
        if not scalars:
            raise ValueError("it gives no loss")
        gradients: dict[str, Array] = {}
        unmatched: list[Array] = []
        for name, value in parts:
            parameter = self._parameter_of(name, value.shape)
            if parameter:
                gradients[parameter] = value
            elif not name or role_of(name.rpartition("/")[2]) in ("h", "c"):
                unmatched.append(value)
        for path, value in object_arrays.items():
            parameter = self._parameter_of(path, value.shape) if path not in self.parameters else ""
            if parameter:
                gradients.setdefault(parameter, value)
        if not gradients:
            raise ValueError("it gives no gradient of any parameter")
        states: list[Array] = []
        for shape, count in {shape: self.state_shapes.count(shape) for shape in self.state_shapes}.items():
            fitting = [value for value in unmatched if value.shape == shape]
            states += fitting if len(fitting) == count else []
        return LossValues(float(scalars[0].reshape(())), gradients, tuple(states))

    def _parameter_of(self, name: str, shape: tuple[int, ...]) -> str:
        """The parameter that an array of that name and shape is the gradient of; empty if it is of none."""
        last = name.rpartition("/")[2]
        is_named_so = any(part.lower().strip("_") in _GRADIENT_HOLDERS for part in name.split("/")[:-1])
        stems = [stem.lower().strip("_") for stem in gradient_stems(last)]
        for parameter, value in self.parameters.items():
            own_name = parameter.rpartition("/")[2].lower().strip("_")
            if value.shape == shape and own_name in (stems if is_named_so else stems[:-1]):
                return parameter
        return ""


_GRADIENT_HOLDERS = frozenset(("grads", "gradients", "grad", "g", "d", "dparams"))


def _named_parts(result: Any, names: tuple[str, ...], prefix: str = "") -> Iterator[tuple[str, Array]]:
    """List the numbers and arrays that came back, with what they are called; entries of a dictionary are gradients."""
    if isinstance(result, tuple | list):
        fitting = names if len(names) == len(result) else ("",) * len(result)
        for name, part in zip(fitting, result, strict=True):
            own_name = () if isinstance(part, tuple | list) else (name,)
            yield from _named_parts(part, own_name, prefix)
    elif isinstance(result, Mapping):
        for key, part in result.items():
            yield from _named_parts(part, (str(key),), "grads/")
    elif isinstance(result, int | float | np.number | np.ndarray) and not isinstance(result, bool):
        yield f"{prefix}{names[0] if names else ''}", np.asarray(result, float)


def loss_of_class(name: str, written_class: type, options: Options) -> LossCall | None:
    """Find a method of a class that computes a loss with its gradients; None if none can be called.

    Args:
        name: What to call it.
        written_class: The class; it is made with sizes by the names of its arguments.
        options: Further arguments of its constructor.
    """
    sizes = named_arguments(written_class, options)
    if sizes is None:
        return None
    for method, _ in methods_of_targets(written_class):
        try:
            holder = written_class(**{**sizes, **options})
        except Exception:  # a user's constructor may raise anything
            return None
        function = inspect.getattr_static(written_class, method)
        roles = _roles(function, skipped=1)
        found = _first_that_works(
            LossCall(f"{name}.{method}", function, holder, possible_parameters(stored_arrays(holder)), roles)
        )
        if found is not None:
            return found
    return None


def loss_of_function(name: str, function: Callable[..., Any]) -> LossCall | None:
    """Find how a function is called that computes a loss from weights that are globals; None if it is none.

    Args:
        name: What to call it.
        function: Any function.
    """
    code = code_of(function)
    if code is None or not takes_targets([argument.name for argument in all_arguments(function)]):
        return None
    module = function.__globals__
    weights = {name: module[name] for name in code.co_names if isinstance(module.get(name), np.ndarray)}
    parameters = {key: value for key, value in weights.items() if value.dtype.kind == "f"}
    return _first_that_works(LossCall(name, function, None, parameters, _roles(function, skipped=0)))


def _roles(function: Callable[..., Any], skipped: int) -> tuple[str, ...]:
    """The roles of the required arguments; empty if one of them is neither input, target nor state."""
    roles = tuple(str(role_of(argument.name)) for argument in required_arguments(function)[skipped:])
    return roles if set(roles) <= {"x", "target", "h", "c"} else ()


def _first_that_works(loss: LossCall) -> LossCall | None:
    """The first shape of its states and form of its tokens with which a loss gives finite numbers and gradients."""
    if not loss.arguments or not loss.parameters:
        return None
    count = sum(role in ("h", "c") for role in loss.arguments)
    axes = sorted({size for value in loss.parameters.values() for size in value.shape if size > 1})
    shapes = [shape for d in axes for shape in ((d, 1), (d,), (1, d))] if count else [()]
    forms: list[tuple[TokenForm, int]] = [("list", 0), ("array", 0), *(("vectors", size) for size in axes)]
    fallback: LossCall | None = None
    for shape, (form, vocabulary) in itertools.product(shapes, forms):
        tried = replace(loss, state_shapes=(shape,) * count, token_form=form, vocabulary=vocabulary)
        try:
            with np.errstate(all="ignore"):
                values = tried.run(*drawn_numbers(tried, 0))
        except Exception:  # a function that is called in a wrong way may raise anything
            continue
        if not np.isfinite(values.loss):
            continue
        if len(values.states) == count:
            return tried
        fallback = fallback or tried
    return fallback
