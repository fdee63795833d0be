"""Plain functions of one step, on NumPy, JAX or torch arrays.

Their parameters are arguments, by name, or one dictionary or tuple. The shapes come from a function that makes the
parameters (``--init params=NAME``, or ``init_params`` and the like next to the function), or are tried out.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.call_argument import role_of_extra
from rnn_harness.validation.cells.callable_facts import name_of
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule, PaddedArrayModule
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments, role_of
from rnn_harness.validation.loading.adapters.handwritten.call_errors import FailureLog
from rnn_harness.validation.loading.adapters.handwritten.data_arguments import (
    AdaptedPair,
    adapted_pairs,
    padding_argument,
)
from rnn_harness.validation.loading.adapters.handwritten.function_pairs import FunctionOfTensors, FunctionPair
from rnn_harness.validation.loading.adapters.handwritten.messages import cannot_be_driven
from rnn_harness.validation.loading.adapters.handwritten.renamed_arguments import with_usual_names
from rnn_harness.validation.loading.adapters.inferred_weights.infer import (
    FEW_RUNS,
    MANY_RUNS,
    ArrayLibrary,
    inferred_trees,
    weights_of,
)
from rnn_harness.validation.loading.adapters.inferred_weights.jax_library import jax_library
from rnn_harness.validation.loading.adapters.jax_functions import JaxFunction, import_jax, module_of_jax_function
from rnn_harness.validation.loading.adapters.named_tuples import with_named_states
from rnn_harness.validation.loading.adapters.numpy_functions import (
    MakeTree,
    drive_numpy_function,
    is_of_numpy_alone,
    tree_argument,
    uses_jax,
)
from rnn_harness.validation.loading.adapters.parameter_makers import make_parameters, parameter_maker, possible_makers
from rnn_harness.validation.loading.adapters.parameter_trees import (
    branch_at,
    branch_paths,
    map_tree,
    tree_leaves,
    tree_with_leaves,
)
from rnn_harness.validation.loading.adapters.step_signature import StepSignature
from rnn_harness.validation.loading.adapters.undriven_jax import no_step_of_jax


class StepFunctionAdapter:
    """Drives a function of one step. ``--init params=NAME`` names the function that makes its parameters for (n, d)."""

    name = "function"
    options: tuple[str, ...] = ("params",)

    def accepts(self, cell_type: type) -> bool:
        """Say whether objects of a class are functions, compiled or not."""
        is_function = cell_type.__name__ in ("function", "PjitFunction", "CPUDispatcher") or cell_type is FunctionPair
        return is_function or cell_type.__module__.startswith(("jax", "jaxlib"))

    def defaults(self, cell_type: type) -> Options:
        """Return nothing: a function is not constructed."""
        return {}

    def drive(
        self, cell: Callable[..., Any] | FunctionPair | FunctionOfTensors, n: int, d: int, options: Options
    ) -> DrivenModule:
        """Drive the function on the first parameters, data and arrays that it takes."""
        function = cell.forward if isinstance(cell, FunctionPair | FunctionOfTensors) else cell
        step, log = StepSignature(with_usual_names(function)), FailureLog()
        weights = [name for name in step.parameters if role_of_extra(name) is None]
        has_tree = len(weights) == 1 and role_of(weights[0]) == "tree"
        maker = parameter_maker(function, options.get("params"), searched=has_tree)
        if maker is not None and "params" not in options and not _makes(maker, CellSizes(n, d)):
            maker = None  # what its name suggests is no statement: shapes are tried out as where there is none
        make_tree = None if maker is None else functools.partial(_parameters_of_sizes, maker)
        exchanged = None if maker is None else functools.partial(_parameters_of_exchanged_sizes, maker)
        branches = list(_branches_of(make_tree, CellSizes(n, d)))
        driven = None
        if not isinstance(cell, FunctionOfTensors):
            beside = possible_makers(function) if has_tree and maker is None else ()
            sizeless = [function for function in beside if not required_arguments(function)]
            for make in (make_tree, *branches):
                driven = driven or drive_numpy_function(cell, make, CellSizes(n, d), log, sizeless)
        if driven is not None:
            return driven
        if not step.data or not step.parameters:
            raise UsageError(
                f"{step.text}: arguments named like an input (x), a state (h, c) and parameters are expected; wrap it "
                "in a function that has them"
            )
        pairs = list(adapted_pairs(with_usual_names(function), None))
        # Where shapes are tried out, a mask has that of the steps: every further one would take as long.
        pairs = pairs if make_tree is not None or pairs[0].padding in step.parameters else pairs[:1]
        makers = (make_tree,) if exchanged is None else (make_tree, *branches, exchanged)
        if branches and "params" not in options:
            makers = (*makers, None)  # what the module makes may be the parameters of more than this function
        if is_of_numpy_alone(function):
            makers = ()
        if uses_jax(function):
            of_named_states = [
                replace(pair, forward=each) for pair in pairs for each in with_named_states(pair.forward)
            ]
            pairs = [*pairs, *of_named_states]
        for make, adapted in itertools.product(makers, pairs):
            try:
                driven = _drive_adapted(adapted, make, CellSizes(n, d))
            except UsageError:  # what makes the parameters takes no such sizes
                if make is not makers[-1]:
                    continue
                raise
            if driven is not None:
                return driven
        raise UsageError(_complaint(step, make_tree, CellSizes(n, d), log))


def _complaint(step: StepSignature, make_tree: MakeTree | None, sizes: CellSizes, log: FailureLog) -> str:
    """Why a function is not driven, with lines to paste."""
    if uses_jax(step.function):
        return no_step_of_jax(step, make_tree, sizes)
    hint = "" if make_tree is not None else "name the function that makes its parameters with --init params=NAME"
    return cannot_be_driven(step.text, log, _bound_arguments(step) or hint)


def _of_named_states(pairs: Sequence[AdaptedPair]) -> list[AdaptedPair]:
    """The ways of calling a function of JAX with states that are named tuples of its module; none of any other."""
    of_jax = [pair for pair in pairs if uses_jax(pair.forward)]
    return [replace(pair, forward=forward) for pair in of_jax for forward in with_named_states(pair.forward)]


def _bound_arguments(step: StepSignature) -> str:
    """How to leave out what stands beside a tree of parameters and is no input and no state; empty without such."""
    trees = [name for name in step.parameters if role_of(name) == "tree"]
    further = [name for name in step.parameters if name not in trees]
    x = next((name for name in step.data if role_of(name) == "x"), "")
    if not trees or not further or not x:
        return ""
    taken = [name for name in step.required if name not in further]
    given = [f"np.ones_like({x})" if name in further else name for name in step.required]
    called = name_of(step.function)
    wrapper = "driven_step" if called == "step" else "step"
    lines = f"    def {wrapper}({', '.join(taken)}):\n        return {called}({', '.join(given)})"
    return f"Give {', '.join(further)} in a function of the input, the states and the parameters, such as\n{lines}"


def _branches_of(make_tree: MakeTree | None, sizes: CellSizes) -> Iterator[MakeTree]:
    """Yield makers of the trees inside the parameters that are made: those of one layer may be such a one."""
    if make_tree is None:
        return
    try:
        tree = make_tree(sizes)
    except UsageError:  # it takes no such sizes, which is said where the function is driven
        return
    for path in branch_paths(tree):
        yield functools.partial(_branch_of, make_tree, path)


def _branch_of(make_tree: MakeTree, path: tuple[object, ...], sizes: CellSizes) -> object:
    """A tree inside the parameters of those sizes."""
    return branch_at(make_tree(sizes), path)


def _drive_adapted(adapted: AdaptedPair, make_tree: MakeTree | None, sizes: CellSizes) -> DrivenModule | None:
    """Drive a function of inputs, states and parameters on JAX or torch; None if it takes none that are tried."""
    step = StepSignature(with_usual_names(adapted.forward))
    makers: Iterable[MakeTree] = (make_tree,) if make_tree is not None else _makers_by_trial(step)
    for make in makers:
        for drive_on in (_drive_on_jax, _drive_on_torch):
            driven = drive_on(_Trial(step, make, sizes, adapted.padding))
            if driven is not None:
                notes = (adapted.note,) if adapted.note else ()
                restarting = _restarting(adapted, make, sizes, drive_on)
                padding = padding_argument(adapted.forward, adapted.padding)
                changed = replace(
                    driven.capabilities,
                    notes=notes,
                    make_restarting=restarting,
                    padding=padding,
                    has_further_inputs=adapted.has_further_inputs,
                )
                return replace(driven, capabilities=changed)
    return None


def drive_with_parameters(function: Callable[..., Any], tree: object, sizes: CellSizes) -> DrivenModule | None:
    """Drive a function on parameters that are made already, and for these sizes alone; None if it does not take them.

    Args:
        function: A function of its parameters and of an input and states, or a sequence.
        tree: The parameters.
        sizes: The input size and the hidden size that they have.
    """
    for adapted in adapted_pairs(with_usual_names(function), None):
        driven = _drive_adapted(adapted, lambda _: tree, sizes)
        if driven is not None:
            return replace(driven, remake=None)
    return None


def _restarting(
    adapted: AdaptedPair, make: MakeTree, sizes: CellSizes, drive_on: Callable[[_Trial], DrivenModule | None]
) -> Callable[[int, int], ArrayLibraryModule] | None:
    """What makes the module whose state is reset before every step; None where nothing resets it."""
    if adapted.restarting is None:
        return None
    step = StepSignature(with_usual_names(adapted.restarting))
    driven = drive_on(_Trial(step, make, sizes))
    remake = driven.remake if driven is not None else None
    return None if remake is None else lambda n, d: remake(None, CellSizes(n, d))  # type: ignore[return-value]  # one of arrays


def _makers_by_trial(step: StepSignature) -> Iterator[MakeTree]:
    """Yield makers of parameters of the shapes that the function uses them in, then of shapes by their names."""
    argument = tree_argument(step.parameters)
    # What is compiled, or has a derivative of its own, asks what its arguments are before it computes.
    plain = step.function if inspect.isfunction(step.function) else inspect.unwrap(step.function)
    for library, most_runs in itertools.product(_libraries_of(step.function), (FEW_RUNS, MANY_RUNS)):
        for tree in inferred_trees(plain, step.parameters, argument, library, most_runs):
            yield functools.partial(weights_of, tree)
    for number, _ in enumerate(step.guessed_parameters(1, 1)):
        yield functools.partial(_guessed, step, number)


def _guessed(step: StepSignature, number: int, sizes: CellSizes) -> object:
    """The parameters that are guessed at some place of the order."""
    return next(itertools.islice(step.guessed_parameters(*sizes), number, None))


def _libraries_of(function: Callable[..., Any]) -> Iterator[ArrayLibrary]:
    """The libraries that a function may compute with, of those that are imported."""
    if uses_jax(function):
        yield jax_library(import_jax())
        return
    import torch

    yield ArrayLibrary(torch.as_tensor, lambda tensor: tensor.detach().numpy(), _leaves)


def _leaves(result: object) -> list[Any]:
    """The arrays in tuples, lists and dictionaries."""
    nested = (result,)
    return [leaf.value for leaf in tree_leaves(nested) if hasattr(leaf.value, "shape")]


def _makes(maker: Callable[..., Any], sizes: CellSizes) -> bool:
    """Whether a maker makes something of an input size and a hidden size, in this order or the other."""
    for make in (_parameters_of_sizes, _parameters_of_exchanged_sizes):
        try:
            make(maker, sizes)
        except UsageError:
            continue
        return True
    return False


def _parameters_of_exchanged_sizes(maker: Callable[..., Any], sizes: CellSizes) -> object:
    """Parameters of a maker that takes the hidden size first."""
    return make_parameters(maker, sizes.hidden_size, sizes.input_size)


def _parameters_of_sizes(maker: Callable[..., Any], sizes: CellSizes) -> object:
    """Parameters of an input size and a hidden size."""
    return make_parameters(maker, *sizes)


class _Trial:
    """A function of one step with parameters that it may take.

    Attributes:
        step: The function.
        make: Makes the parameters, for an input size and a hidden size.
        tree: Those of the sizes that are tried.
        padding: The argument that says which steps are padding; empty if there is none.
    """

    def __init__(self, step: StepSignature, make: MakeTree, sizes: CellSizes, padding: str = "") -> None:
        self.step, self.make, self.tree, self._sizes, self.padding = step, make, make(sizes), sizes, padding

    def first_result(
        self, convert: Callable[[Any], object], run: Callable[..., object] = lambda function, *values: function(*values)
    ) -> object:
        """Return what the function gives for the first data that it takes; None if it takes none.

        Args:
            convert: From a NumPy array to an array of the library that is tried.
            run: Runs a function of parameters and data.
        """
        for data in self.step.trial_data(*self._sizes):
            arguments = map_tree(convert, data)
            try:
                result = call_target(run, self.step.call, map_tree(convert, self.tree), arguments)
            except Exception:  # a function that is called in a wrong way may raise anything
                continue
            if self.step.gives_states(arguments, result, self._sizes.hidden_size):
                return result
        return None


def _drive_on_jax(trial: _Trial) -> DrivenModule | None:
    """Drive the function on arrays of JAX, if it is imported; None if the function does not take them."""
    if "jax" not in sys.modules:
        return None
    result = trial.first_result(np.asarray, import_jax().eval_shape)
    if result is None or not _is_of_jax(result):
        return None
    function = JaxFunction(lambda tree, *arguments: trial.step.call(tree, arguments, trial.padding), trial.tree)
    # Arrays of JAX cannot be written to: what is made once serves every module of its sizes.
    make = functools.cache(trial.make)

    def remake(_: Any, sizes: CellSizes) -> ArrayLibraryModule:
        return module_of(function.with_tree(make(sizes)))

    def module_of(made: JaxFunction) -> ArrayLibraryModule:
        if not trial.padding:
            return module_of_jax_function(made)
        return PaddedArrayModule(made, made.initial_values, len(trial.step.data))

    module = module_of(function)
    return DrivenModule(module, TargetCapabilities(library="JAX"), remake=remake)


def _is_of_jax(result: object) -> bool:
    """Whether an array of JAX is among what came back."""
    parts = result if isinstance(result, tuple | list) else (result,)
    return any(
        type(part).__module__.startswith("jax") or (isinstance(part, tuple) and _is_of_jax(part)) for part in parts
    )


def _tensor_of_float64(value: Any) -> object:
    """A value as a tensor; what a maker draws in torch's usual float32 as one of float64, as the data are."""
    import torch

    tensor = torch.as_tensor(value)
    return tensor.double() if tensor.is_floating_point() else tensor


def _drive_on_torch(trial: _Trial) -> DrivenModule | None:
    """Drive the function on torch tensors; None if it does not take them."""
    import torch

    step = trial.step
    result = trial.first_result(_tensor_of_float64)
    parts = result if isinstance(result, tuple | list) else (result,)
    if not any(isinstance(part, torch.Tensor) for part in parts):
        return None

    class FunctionModule(torch.nn.Module):
        """The function with its parameters."""

        def __init__(self, tree: Any) -> None:
            super().__init__()
            self.tree, self.paths = tree, [leaf.path for leaf in tree_leaves(tree)]
            for leaf in tree_leaves(tree):
                initial = torch.as_tensor(leaf.value).detach().clone()
                self.register_parameter(leaf.path, torch.nn.Parameter(initial))

        def forward(self, *arguments: object, **padding: object) -> object:
            """Call it."""
            if len(arguments) != len(step.data):
                raise TypeError(f"it takes {len(step.data)} arguments by their places, and was given {len(arguments)}")
            values = {path: self._parameters[path] for path in self.paths}
            return step.call(tree_with_leaves(self.tree, values), (*arguments, *padding.values()), trial.padding)

    return DrivenModule(FunctionModule(trial.tree), remake=lambda _, sizes: FunctionModule(trial.make(sizes)))
