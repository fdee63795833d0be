"""Find the ways in which the forward of a cell written by hand can be called, by calling it in every known way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import attribute, method_if_any
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    Role,
    all_arguments,
    required_arguments,
    role_of,
)
from rnn_harness.validation.loading.adapters.handwritten.axes import in_words, shape_of
from rnn_harness.validation.loading.adapters.handwritten.call_errors import FailureLog, Stage
from rnn_harness.validation.loading.adapters.handwritten.cell_source import CellSource
from rnn_harness.validation.loading.adapters.handwritten.forward_way import (
    ForwardWay,
    ResultPath,
    StateEntry,
    attribute_entries,
    result_entries,
    trial_value,
)
from rnn_harness.validation.loading.adapters.handwritten.returned_names import returned_names
from rnn_harness.validation.loading.adapters.handwritten.returned_states import stem_of
from rnn_harness.validation.loading.adapters.handwritten.trial_numbers import TrialNumbers

# Batches first: where one vector and a batch of rows both run, the batch is what shows more.
_BATCHED = (("BN", "BN"), ("NB", "NB"), ("TBN", "BN"), ("BTN", "BN"), ("NBT", "NB"), ("TNB", "NB"))
_SINGLE = (("N", "N"), ("N1", "N1"), ("1N", "1N"), ("N", "N1"), ("N", "1N"))
_SINGLE_SEQUENCES = (("TN", "N"), ("TN", "N1"), ("TN", "1N"), ("TN1", "N1"), ("T1N", "1N"), ("NT", "N"), ("NT", "N1"))
OUTPUT_AXES = {True: ("TBN", "BTN", "NBT", "TNB"), False: ("TN", "TN1", "T1N", "NT")}
LAYOUTS = (*_BATCHED, *_SINGLE, *_SINGLE_SEQUENCES)
"""The axes of an input and of a state in every known way of calling, likely ones first."""
HIDDEN_ATTRIBUTES = ("h", "h_prev", "prev_h", "hidden", "hidden_state", "state", "s", "a", "h_t", "ht")
CELL_ATTRIBUTES = ("c", "c_prev", "prev_c", "cell", "cell_state", "C", "c_t", "ct")
GROWN = 1e3
"""By how much a state is enlarged to see which result is the cell state: the hidden state stays bounded."""


@dataclass(frozen=True)
class ArgumentOrder:
    """Which argument of forward is what.

    Attributes:
        order: As `ForwardWay.order`.
        keywords: As `ForwardWay.keywords`.
        entry: How the states get in.
        attributes: The attributes that hold the states.
        states: The number of states.
    """

    order: tuple[str, ...]
    keywords: tuple[str, ...]
    entry: StateEntry
    states: int
    attributes: tuple[str, ...] = ()


def forward_ways(
    source: CellSource, numbers: TrialNumbers, log: FailureLog, *, lenient: bool = False
) -> Iterator[ForwardWay]:
    """Yield the ways in which forward can be called, likely ones first.

    Args:
        source: The cell.
        numbers: What it is tried with.
        log: Where the ways that fail are noted.
        lenient: Yield those in which rows are mixed or later steps reach earlier ones, and not those that are right: a
            cell may do so by mistake, which is for the checks to say. Those that keep rows apart come first.
    """
    mixing: list[ForwardWay] = []
    orders = list(argument_orders(source))
    for input_axes, state_axes in LAYOUTS:
        for order in orders:
            if order.states == 0 and "T" not in input_axes:
                continue  # one step without a state is no recurrence
            bare = ForwardWay(
                order.order, order.keywords, order.entry, order.attributes, order.states, input_axes, state_axes
            )
            for way in _completed(source, bare, numbers, log):
                if way.entry == "attributes" and way.is_sequence and _is_reset(source, way, numbers):
                    continue
                dependence = _dependence(source, way, numbers)
                # One step broadcasts over the rows of a sequence without a batch, and is none for that.
                if dependence.is_right != lenient and (dependence.is_right or way.is_batched or not way.is_sequence):
                    if dependence.keeps_rows_apart:
                        yield way
                    else:
                        mixing.append(way)
    yield from mixing


def argument_orders(source: CellSource) -> Iterator[ArgumentOrder]:
    """Yield what the arguments of forward may be: by their names, or by their places where names say nothing.

    Args:
        source: The cell; the signature of its forward is read, and nothing is called.
    """
    required = [argument.name for argument in required_arguments(source.forward_function)]
    names = {path.partition("/")[0] for path in source.parameters}
    required = [name for name in required if name not in names and name != _tree_argument(source)]
    roles = [role_of(name) for name in required]
    if len(required) == 1 and not source.keywords:
        if roles == ["x"] and _optional_states(source):
            yield from _orders_by_name(source, required, roles)
        yield from _orders_of_kept_states(source)
    if all(role in ("x", "h", "c") for role in roles) and roles.count("x") == 1 and len(roles) <= 3:
        yield from _orders_by_name(source, required, roles)
    elif not source.keywords and len(required) <= 3:
        yield from _orders_by_place(len(required))


def _tree_argument(source: CellSource) -> str:
    """The one argument that takes all parameters; empty if there is none."""
    return attribute(source, "tree_argument", str) or ""  # functions alone have one


def _orders_by_name(source: CellSource, required: Sequence[str], roles: Sequence[Role]) -> Iterator[ArgumentOrder]:
    """Orders of arguments that are named like inputs and states; states with defaults are given first."""
    optional = _optional_states(source)
    named = list(zip(required, roles, strict=True))
    if optional and all(role == "x" for role in roles) and len(optional) <= 2:
        yield from _orders_of([*required, *optional], [*roles, *(role_of(name) for name in optional)])
    yield from _orders_of([name for name, _ in named], list(roles))


def _optional_states(source: CellSource) -> list[str]:
    """The arguments of forward that are named like states and have a default."""
    return [
        argument.name
        for argument in all_arguments(source.forward_function)
        if argument.default is not argument.empty and role_of(argument.name) in ("h", "c")
    ]


def _orders_of(names: Sequence[str], roles: Sequence[Role]) -> Iterator[ArgumentOrder]:
    """Orders of arguments whose roles are known."""
    state_count = len(roles) - 1
    numbers = iter(range(state_count))
    order = tuple("x" if role == "x" else str(next(numbers)) for role in roles)
    if state_count == 0:
        yield ArgumentOrder(order, tuple(names), "none", 0)
        return
    yield ArgumentOrder(order, tuple(names), "arguments", state_count)
    if state_count == 1:
        yield ArgumentOrder(tuple("01" if part == "0" else part for part in order), tuple(names), "arguments", 2)


def _orders_by_place(count: int) -> Iterator[ArgumentOrder]:
    """Orders of so many arguments whose names say nothing."""
    orders: dict[int, tuple[tuple[str, ...], ...]] = {
        2: (("x", "0"), ("0", "x"), ("x", "01"), ("01", "x")),
        3: (("x", "0", "1"), ("0", "1", "x")),
    }
    for order in orders.get(count, ()):
        states = sum(len(part) for part in order if part != "x")
        yield ArgumentOrder(order, (), "arguments", states)


def _orders_of_kept_states(source: CellSource) -> Iterator[ArgumentOrder]:
    """Orders of a forward that takes the input alone: the states are set before, are attributes, or are zero."""
    holder = source.holder
    if method_if_any(holder, "set_state"):
        for count in (2, 1):
            yield ArgumentOrder(("x",), (), "set_state", count)
    known = vars(holder) if hasattr(holder, "__dict__") else {}
    hidden = [name for name in HIDDEN_ATTRIBUTES if name in known and _may_be_state(known[name])]
    cells = [name for name in CELL_ATTRIBUTES if name in known and _may_be_state(known[name])]
    for pair in itertools.product(hidden[:1], cells[:1]):
        yield ArgumentOrder(("x",), (), "attributes", 2, pair)
    for name in hidden[:1]:
        yield ArgumentOrder(("x",), (), "attributes", 1, (name,))
    yield ArgumentOrder(("x",), (), "none", 0)


def _may_be_state(value: object) -> bool:
    """Whether an attribute may hold a state: an array, or nothing yet."""
    return value is None or isinstance(value, np.ndarray)


def _completed(source: CellSource, bare: ForwardWay, numbers: TrialNumbers, log: FailureLog) -> Iterator[ForwardWay]:
    """The way, completed by where its results are; nothing if it raises, or what comes back does not fit."""
    entries = _entries(source, bare, numbers, log)
    if entries is None:
        return
    letters = numbers.letters(numbers.sizes.hidden_size)
    state_shape = shape_of(bare.state_axes, letters)
    if not bare.is_sequence:
        for finals in _state_paths(entries, state_shape, bare.states):
            way = _with_named_state(source, replace(bare, finals=finals), entries, state_shape)
            yield _in_order(source, way, numbers)
            return
    else:
        for axes in OUTPUT_AXES[bare.is_batched]:
            output = next((path for path in _ranked(entries) if entries[path].shape == shape_of(axes, letters)), None)
            if output is None:
                continue
            finals = next(_state_paths(entries, state_shape, bare.states), ()) if bare.states else ()
            yield replace(bare, output_axes=axes, output=output, finals=finals)
            return
    shapes = ", ".join(str(value.shape) for value in entries.values()) or "no array"
    log.add(Stage.FORWARD_RESULT_UNFIT, _attempt(source, bare, numbers), f"it gave {shapes}; {_wanted(bare, numbers)}")


def _entries(
    source: CellSource, bare: ForwardWay, numbers: TrialNumbers, log: FailureLog
) -> dict[ResultPath, Array] | None:
    """What forward gives in a way; None if it raises."""
    cell = None
    try:
        cell = source.fresh(source.parameters)
        x, states = trial_arguments(bare, numbers)
        result = bare.call(cell, x.copy(), [state.copy() for state in states])
        handed_over = (x, *source.parameters.values())
        return _computed(result_entries(result), handed_over, states) | attribute_entries(cell, bare.attributes)
    except (Exception, SystemExit) as error:  # a cell that is called in a wrong way may raise anything
        function = cell.forward if cell is not None else None
        function = method_if_any(function, "func") or function  # a function with its parameters bound
        log.add_error(Stage.FORWARD_RAISED, _attempt(source, bare, numbers), error, function)
        return None


def _computed(
    entries: dict[ResultPath, Array], handed_over: Sequence[Array], states: Sequence[Array]
) -> dict[ResultPath, Array]:
    """The entries but for those that are no results: what a cache holds beside an input or a weight, old states."""
    caches = {path[:1] for path, value in entries.items() if len(path) > 1 and _is_among(value, handed_over)}
    return {
        path: value
        for path, value in entries.items()
        if len(path) < 2 or not (path[:1] in caches or _is_among(value, states))
    }


def _is_among(value: Array, arrays: Sequence[Array]) -> bool:
    """Whether an array is one of others, but for axes of length one."""
    return any(value.size == other.size and np.array_equal(np.squeeze(value), np.squeeze(other)) for other in arrays)


def trial_arguments(way: ForwardWay, numbers: TrialNumbers) -> tuple[Array, list[Array]]:
    """Return the input and the states of a trial, for the rows and steps that a way takes.

    Args:
        way: A way of calling forward: how many states, and how the axes lie.
        numbers: Inputs (T, B, n) and states (B, d), which are copied.
    """
    x = numbers.inputs if way.is_sequence else numbers.inputs[0]
    states = [trial_value(state, way.state_axes) for state in numbers.states[: way.states]]
    return trial_value(x, way.input_axes).copy(), [state.copy() for state in states]


def _ranked(entries: dict[ResultPath, Array]) -> list[ResultPath]:
    """The places of results, the outermost first."""
    return sorted(entries, key=len)


def _state_paths(
    entries: dict[ResultPath, Array], shape: tuple[int, ...], count: int
) -> Iterator[tuple[ResultPath, ...]]:
    """Where the states are among the results: one result more is an output that repeats a state, first or last."""
    fitting = [path for path in _ranked(entries) if entries[path].shape == shape]
    outermost = [path for path in fitting if len(path) == len(fitting[0])]
    fitting = outermost if len(outermost) >= count else fitting
    if len(fitting) < count or not count:
        return
    if len(fitting) == count + 1 and any(np.array_equal(entries[fitting[0]], entries[path]) for path in fitting[1:]):
        fitting = fitting[1:]
    yield tuple(fitting[:count])


def _with_named_state(
    source: CellSource, way: ForwardWay, entries: dict[ResultPath, Array], shape: tuple[int, ...]
) -> ForwardWay:
    """The way with the result for its one state that has the state's name, and what stands before it for an output.

    A step that ends in ``return h, c`` of a state ``c_prev`` gives back an output and its state.
    """
    if way.states != 1 or way.entry != "arguments" or not way.keywords or source.backward_function is not None:
        return way
    stem = stem_of(way.keywords[way.order.index("0")])
    named = [
        place for place, name in enumerate(returned_names(source.forward_function)) if name and stem_of(name) == stem
    ]
    path: ResultPath = (str(named[0]),) if len(named) == 1 else ()
    if path in (*way.finals, ()) or path not in entries or entries[path].shape != shape:
        return way
    return replace(way, finals=(path,), shown=way.finals[0])


def _in_order(source: CellSource, way: ForwardWay, numbers: TrialNumbers) -> ForwardWay:
    """The way with its two states in the order in which they go in: the cell state alone grows with itself."""
    if way.states != 2:
        return way
    x, states = trial_arguments(way, numbers)
    grown: list[tuple[int, int]] = []
    for index in range(2):
        enlarged = [GROWN * state if place == index else state for place, state in enumerate(states)]
        try:
            cell = source.fresh(source.parameters)
            results = way.read(cell, way.call(cell, x, enlarged))
        except Exception:  # then nothing shows the order
            return way
        grown += [(index, place) for place, value in enumerate(results) if np.abs(value).max() > np.sqrt(GROWN)]
    crossed = len(grown) == 1 and grown[0][0] != grown[0][1]
    return replace(way, finals=way.finals[::-1]) if crossed else way


def _is_reset(source: CellSource, way: ForwardWay, numbers: TrialNumbers) -> bool:
    """Whether forward sets the attributes anew, so that what they hold before is no state that it is given."""
    x, states = trial_arguments(way, numbers)
    runs = []
    for first_states in (states, [state + 1 for state in states]):
        cell = source.fresh(source.parameters)
        runs.append(way.read(cell, way.call(cell, x.copy(), [state.copy() for state in first_states])))
    return all(map(np.array_equal, *runs))


class _Dependence(NamedTuple):
    """What a changed number reaches.

    Attributes:
        keeps_rows_apart: Whether it reaches its own row alone.
        runs_forward: Whether it reaches later steps, and no earlier one.
    """

    keeps_rows_apart: bool
    runs_forward: bool

    @property
    def is_right(self) -> bool:
        """Whether both are so."""
        return self.keeps_rows_apart and self.runs_forward


def _dependence(source: CellSource, way: ForwardWay, numbers: TrialNumbers) -> _Dependence:
    """What a number reaches that is changed in one row, at one step of a sequence."""
    x, states = trial_arguments(way, numbers)
    moved = x.copy()
    step: tuple[int, ...] = (2,) if way.is_sequence else ()
    moved[(*step, 1) if way.is_batched else step] += 1
    try:
        before, after = (_read(source, way, value, states) for value in (x, moved))
    except Exception:  # it ran before; what it does now is no way of calling it
        return _Dependence(keeps_rows_apart=False, runs_forward=False)
    changed = before[0] != after[0]
    is_apart = True
    if way.is_batched:
        rows = np.moveaxis(changed, 1 if way.is_sequence else 0, 0).reshape(numbers.rows, -1).any(1)
        is_apart = not rows[[row for row in range(numbers.rows) if row != 1]].any()
    if not way.is_sequence:
        return _Dependence(is_apart, runs_forward=True)
    steps = changed.reshape(numbers.steps, -1).any(1)
    return _Dependence(is_apart, bool(steps[2:].all()) and not steps[:2].any())


def _read(source: CellSource, way: ForwardWay, x: Array, states: list[Array]) -> list[Array]:
    cell = source.fresh(source.parameters)
    return way.read(cell, way.call(cell, x.copy(), [state.copy() for state in states]))


def _attempt(source: CellSource, way: ForwardWay, numbers: TrialNumbers) -> str:
    """What was called with arrays of which shapes."""
    n, d = numbers.sizes
    x = f"input {shape_of(way.input_axes, numbers.letters(n))}"
    state = f"state {shape_of(way.state_axes, numbers.letters(d))}"
    shapes = {
        "x": x,
        "0": state,
        "1": state,
        "01": f"a tuple of two states {shape_of(way.state_axes, numbers.letters(d))}",
    }
    return f"{source.name}({', '.join(shapes[part] for part in way.order)})"


def _wanted(way: ForwardWay, numbers: TrialNumbers) -> str:
    """What should have come back."""
    letters = numbers.letters(numbers.sizes.hidden_size)
    if way.is_sequence:
        return f"expected the states of all steps, {in_words(OUTPUT_AXES[way.is_batched][0], 'd')}"
    noun = "a state" if way.states == 1 else "two states"
    return f"expected {noun} of shape {shape_of(way.state_axes, letters)}"
