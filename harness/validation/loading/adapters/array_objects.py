"""Objects that keep their parameters in NumPy arrays, with a hand-written backward or without."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import member, method_if_any
from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments
from rnn_harness.validation.loading.adapters.handwritten.call_errors import FailureLog
from rnn_harness.validation.loading.adapters.handwritten.cell_source import (
    CellSource,
    Methods,
    ObjectSource,
    WeightsSource,
)
from rnn_harness.validation.loading.adapters.handwritten.data_arguments import (
    FilledArgument,
    filled_paddings,
    padding_argument,
)
from rnn_harness.validation.loading.adapters.handwritten.drive_source import (
    DrivenSource,
    drive_sources,
    generic_numbers,
)
from rnn_harness.validation.loading.adapters.handwritten.function_pairs import backward_names
from rnn_harness.validation.loading.adapters.handwritten.further_inputs import FilledInputs, further_inputs
from rnn_harness.validation.loading.adapters.handwritten.handwritten_cell import HandwrittenCell
from rnn_harness.validation.loading.adapters.handwritten.late_weights import with_weights
from rnn_harness.validation.loading.adapters.handwritten.list_of_weights import made_from_each
from rnn_harness.validation.loading.adapters.handwritten.messages import cannot_be_driven
from rnn_harness.validation.loading.adapters.handwritten.stateful_switch import kept_state
from rnn_harness.validation.loading.adapters.handwritten.steps_of_object import NOTE as STEPS_NOTE
from rnn_harness.validation.loading.adapters.handwritten.steps_of_object import steps_of_object
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import possible_parameters, stored_arrays
from rnn_harness.validation.loading.adapters.handwritten.weight_shapes import (
    WeightShapes,
    are_weights,
    make_weights,
    possible_shapes,
)

FORWARD_METHODS = ("forward", "step", "forward_step", "__call__", "call", "predict")
BACKWARD_METHODS = ("backward", "backward_step", "step_backward", "bprop", "grad")


@dataclass(frozen=True)
class ClassOfWeights:
    """A class that is made from its weights, ``LSTM(Wx, Wh, b)``.

    Attributes:
        maker: The class.
        options: Its further arguments.
    """

    maker: type
    options: Options


def class_of_weights(cell_type: type, options: Options) -> ClassOfWeights | None:
    """Return the class as one that is made from its weights; None if its arguments are none.

    Args:
        cell_type: The class.
        options: The further arguments that a user gives.
    """
    maker = made_from_each(cell_type) or cell_type
    names = [argument.name for argument in required_arguments(maker) if argument.name not in options]
    return ClassOfWeights(maker, dict(options)) if are_weights(names) else None


def forward_methods(cell_type: type) -> list[str]:
    """Return the methods of a class that may be its forward, likely ones first; `object` aside.

    Args:
        cell_type: The class.
    """
    own = [name for base in cell_type.__mro__ if base is not object for name in vars(base)]
    usual = [name for name in FORWARD_METHODS if name in own]
    ahead = [name for name in own if any(word in name.lower() for word in ("forward", "fprop", "fwd"))]
    return list(dict.fromkeys([*usual, *(name for name in ahead if "back" not in name.lower())]))


def made_with_weights(cell: Any, input_size: int) -> Any:
    """Return an object with its weights, also where its first forward makes them; the object itself where nothing does.

    Args:
        cell: The object, as its constructor made it.
        input_size: n, which it learns then.
    """
    return with_weights(cell, input_size, forward_methods(type(cell)))


def backward_method(cell_type: type, forward: str) -> str:
    """Return the method of a class that is the backward of a forward method; empty if there is none.

    Args:
        cell_type: The class.
        forward: The name of the forward method.
    """
    own = [name for base in cell_type.__mro__ if base is not object for name in vars(base)]
    behind = [
        name for name in own if any(word in name.lower() for word in ("backward", "backprop", "bprop", "bptt", "bwd"))
    ]
    return next((name for name in (*backward_names(forward), *BACKWARD_METHODS, *behind) if name in own), "")


_ALL_OUTPUTS = "return_sequences"
_KEPT_STATE_FAULT = "made with stateful=False it keeps its state: the same call twice gives other numbers"


class ArrayObjectAdapter:
    """Drives any object with arrays of floats among its attributes and a forward method.

    ``--init method=NAME`` names the method.
    """

    name = "numpy"
    options: tuple[str, ...] = ("method",)

    def accepts(self, cell_type: type) -> bool:
        """Say whether a class defines or inherits a forward method, `object` aside."""
        return cell_type is ClassOfWeights or bool(forward_methods(cell_type))

    def defaults(self, cell_type: type) -> Options:
        """Return nothing: the sizes suffice."""
        return {}

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the object's forward method, with its arrays as parameters."""
        log, sizes = FailureLog(), CellSizes(n, d)
        if isinstance(cell, ClassOfWeights):
            return _drive_class(cell, sizes, options, log)
        made = made_with_weights(cell, n)
        try:
            return _drive_object(
                made, sizes, options, log, lambda other, wanted: made_with_weights(other, wanted.input_size)
            )
        except UsageError as error:
            driven = _drive_steps(made, sizes, options)
            if driven is None:
                raise error from None
            return driven


def _drive_object(
    cell: Any, sizes: CellSizes, options: Options, log: FailureLog, prepared: Callable[[Any, CellSizes], Any]
) -> DrivenModule:
    """Drive an object that has its weights; others of its kind are prepared before they are driven in the same way."""
    methods = _methods(type(cell), options)
    parameters = possible_parameters(stored_arrays(cell))
    if not parameters:
        raise UsageError(_no_parameters(cell))
    keeping = kept_state(cell)
    sources = [
        ObjectSource(keeping or cell, names, parameters, filled)
        for names in methods
        for filled in _fillings(member(cell, names.forward))
    ]
    driven = drive_sources(sources, sizes, log)
    if driven is None:
        raise UsageError(cannot_be_driven(type(cell).__name__, log))
    source, capabilities = sources[driven.number], driven.capabilities
    chosen, filled = source.methods, source.filled
    if filled is not None:
        padding = padding_argument(member(cell, chosen.forward), filled.name)
        capabilities = replace(
            capabilities,
            notes=(filled.note,),
            has_further_inputs=isinstance(filled, FilledInputs),
            padding=padding if driven.ways.forward.is_batched else None,
        )

    def module_of(other: Any) -> ArrayLibraryModule:
        switched = other if keeping is None else kept_state(other) or other
        made = ObjectSource(switched, chosen, possible_parameters(stored_arrays(other)), filled)
        return driven.module(made, filled.name if filled is not None else "")

    if keeping is not None and _keeps_state(ObjectSource(cell, chosen, parameters), driven, sizes):
        capabilities = replace(capabilities, kept_state_fault=_KEPT_STATE_FAULT)
    return DrivenModule(module_of(cell), capabilities, remake=lambda other, wanted: module_of(prepared(other, wanted)))


def _drive_steps(cell: Any, sizes: CellSizes, options: Options) -> DrivenModule | None:
    """Drive an object that takes one step a call and keeps its states; None where it is none, or no way fits."""
    for names in _methods(type(cell), options):

        def over_time(other: Any, wanted: CellSizes, names: Methods = names) -> Any:
            return steps_of_object(made_with_weights(other, wanted.input_size), *names, wanted.input_size)

        steps = over_time(cell, sizes)
        if steps is None:
            continue
        with contextlib.suppress(UsageError):
            driven = _drive_object(steps, sizes, {}, FailureLog(), over_time)
            return replace(driven, capabilities=replace(driven.capabilities, notes=(STEPS_NOTE,)))
    return None


def _no_parameters(cell: object) -> str:
    """Why an object that keeps no arrays cannot be driven, and the function that would help."""
    name = type(cell).__name__
    return (
        f"{name} keeps no arrays of floats as attributes, and no method like build() or initialize() and no forward(x) "
        f"made any: no parameters were found; expected its weights among its attributes. Name a function that makes it "
        f"with its weights:\n    def make_cell(input_size, hidden_size):\n        cell = {name}(...)\n"
        f"        ...  # what makes its weights\n        return cell"
    )


def _fillings(forward: Callable[..., Any]) -> Iterator[FilledArgument | FilledInputs | None]:
    """Yield the ways of filling what a method takes besides an input and states; None fills nothing."""
    yield from filled_paddings(forward)
    yield None
    further = further_inputs(forward, is_method=True)
    if further is not None:
        yield further


def _methods(cell_type: type, options: Options) -> list[Methods]:
    """The forward methods of a class, each with its backward. Raises UsageError if there is none."""
    named = options.get("method")
    names = forward_methods(cell_type) if named is None else [str(named)]
    names = [name for name in names if method_if_any(cell_type, name)]
    if not names:
        known = named or " or ".join(FORWARD_METHODS)
        raise UsageError(f"{cell_type.__name__} has no method {known!r}; name it with --init method=NAME")
    return [Methods(name, backward_method(cell_type, name)) for name in names]


def _drive_class(cell: ClassOfWeights, sizes: CellSizes, options: Options, log: FailureLog) -> DrivenModule:
    """Drive a class that is made from its weights, with the first weights that it takes."""
    names = [argument.name for argument in required_arguments(cell.maker) if argument.name not in cell.options]
    methods = _methods(cell.maker, options)[0]
    further = dict(cell.options)
    optional = {argument.name for argument in _optional_arguments(cell.maker)}
    if _ALL_OUTPUTS in optional:
        further.setdefault(_ALL_OUTPUTS, True)  # the last output alone does not show what a step makes of its input
    may_be_stateful = "stateful" in optional
    if may_be_stateful:
        further.setdefault("stateful", True)  # else the state that it is given is forgotten at once
    shapes = list(possible_shapes(names))
    sources = list(_sources(cell.maker, shapes, sizes, further, methods))
    driven = drive_sources([source for _, source in sources], sizes, log)
    if driven is None:
        raise UsageError(cannot_be_driven(f"{cell.maker.__name__}({', '.join(names)})", log))
    fitting = sources[driven.number][0]

    def remake(_: Any, wanted: CellSizes) -> ArrayLibraryModule:
        return driven.module(WeightsSource(cell.maker, make_weights(fitting, wanted), further, methods))

    capabilities = driven.capabilities
    if may_be_stateful and "stateful" not in cell.options:
        stateless = WeightsSource(cell.maker, make_weights(fitting, sizes), {**further, "stateful": False}, methods)
        if _keeps_state(stateless, driven, sizes):
            capabilities = replace(capabilities, kept_state_fault=_KEPT_STATE_FAULT)
    return DrivenModule(remake(cell, sizes), capabilities, remake=remake)


def _keeps_state(source: CellSource, driven: DrivenSource, sizes: CellSizes) -> bool:
    """Whether two calls of one object on the same sequence give different numbers."""
    way = driven.ways.forward
    if not (way.is_sequence and way.is_batched) or (way.states and way.entry == "arguments"):
        return False  # whoever hands the states over says what they are
    x = np.random.default_rng(3).standard_normal((3, 2, sizes.input_size))
    without = replace(way, states=0, entry="arguments", finals=())
    try:
        cell = source.fresh(generic_numbers(source.parameters))
        first, second = (without.read(cell, without.call(cell, x, ()))[0] for _ in range(2))
    except Exception:  # it wants its states, or does not take such weights
        return False
    return not np.array_equal(first, second)


def _optional_arguments(maker: type) -> list[Any]:
    """The arguments of a class that have a default."""
    from rnn_harness.validation.loading.adapters.handwritten.argument_names import all_arguments

    return [argument for argument in all_arguments(maker) if argument.default is not argument.empty]


def _sources(
    maker: type, shapes: list[WeightShapes], sizes: CellSizes, options: Options, methods: Methods
) -> Iterator[tuple[WeightShapes, CellSource]]:
    """Yield the class with weights of every shape that it can be made from."""
    for possible in shapes:
        weights = make_weights(possible, sizes)
        with contextlib.suppress(Exception):  # a class may raise anything for weights that do not fit
            call_target(maker, **weights, **options)
            yield possible, WeightsSource(maker, weights, options, methods)


def called_method(module: object) -> str | None:
    """Return the name of the method that a driven module calls; None if it stands for no object with methods.

    Args:
        module: Any module; one of `ArrayObjectAdapter` whose method takes input (B, n) and states (B, d) has a name.
    """
    if not isinstance(module, ArrayLibraryModule) or not isinstance(module.function, HandwrittenCell):
        return None
    source, way = module.function.source, module.function.ways.forward
    plain = way.order in (("x", "0"), ("x", "0", "1")) and way.entry == "arguments" and way.input_axes == "BN"
    is_object = isinstance(source, ObjectSource) and all("/" not in name for name in source.parameters)
    return source.methods.forward if plain and is_object and isinstance(source, ObjectSource) else None


def array_object_sizes(cell: object) -> CellSizes | None:
    """Return the sizes of an object that does not state them: the first that its arrays and its calls allow.

    Args:
        cell: The object.
    """
    parameters: dict[str, Array] = possible_parameters(stored_arrays(cell))
    axes = {size for value in parameters.values() for size in value.shape}
    hidden = sorted({size // gates for size in axes for gates in (1, 2, 3, 4) if size % gates == 0}, reverse=True)
    adapter = ArrayObjectAdapter()
    for d in hidden:
        for n in sorted({*axes, *(size - d for size in axes if size > d)}):
            with contextlib.suppress(UsageError):
                adapter.drive(cell, n, d, {})
                return CellSizes(n, d)
    return None


__all__ = [
    "ArrayObjectAdapter",
    "ClassOfWeights",
    "DrivenSource",
    "array_object_sizes",
    "called_method",
    "class_of_weights",
]
