"""A way of calling the forward of a cell written by hand, and of reading its states out of what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import WrongShape
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.loading.adapters.handwritten.axes import arrange, in_words, restore, usual_axes
from rnn_harness.validation.loading.adapters.handwritten.cell_source import FreshCall

ResultPath: TypeAlias = tuple[str, ...]
"""Positions and keys that lead to an array in a result; an attribute of the cell begins with a point."""
StateEntry = Literal["arguments", "set_state", "attributes", "none"]
MAX_RESULT_DEPTH = 2


@dataclass(frozen=True)
class ForwardWay:
    """How forward is called, and what of its results is what.

    Attributes:
        order: Its arguments: ``x`` the input, ``0`` and ``1`` the states, ``01`` both states in a tuple, ``10`` turned.
        keywords: The names under which they go in; empty if they go in by position.
        entry: How the states get into it.
        attributes: The attributes that hold the states, if they are attributes.
        states: The number of its states.
        input_axes: The axes of its input.
        state_axes: The axes of a state.
        output_axes: The axes of its outputs over time; empty for a cell of one step.
        output: Where its outputs over time are; unused for a cell of one step.
        finals: Where its states are after the call.
        shown: Where the output of a step is that is none of its states; empty where it gives none.
    """

    order: tuple[str, ...]
    keywords: tuple[str, ...]
    entry: StateEntry
    attributes: tuple[str, ...]
    states: int
    input_axes: str
    state_axes: str
    output_axes: str = ""
    output: ResultPath = ()
    finals: tuple[ResultPath, ...] = ()
    shown: ResultPath = ()

    @property
    def is_sequence(self) -> bool:
        """Whether it is called once for all steps."""
        return "T" in self.input_axes

    @property
    def is_batched(self) -> bool:
        """Whether it takes several rows at once."""
        return "B" in self.input_axes

    @property
    def results(self) -> tuple[tuple[ResultPath, str], ...]:
        """Where its results are, each with its axes: the outputs, over time or of a step, then the final states."""
        finals = tuple((path, self.state_axes) for path in self.finals)
        if self.shown:
            return ((self.shown, self.state_axes), *finals)
        return ((self.output, self.output_axes), *finals) if self.is_sequence else finals

    def __str__(self) -> str:
        form = "a sequence" if self.is_sequence else "one step"
        count = ("no state", "one state", "two states")[self.states]
        entries = {"set_state": " by set_state", "attributes": f" in {' and '.join(self.attributes)}"}
        where = entries.get(self.entry, "")
        if "01" in self.order or "10" in self.order:
            where = " as a tuple"
        if self.entry == "arguments" and self.order[-1] == "x":
            where += " before the input"
        usual = {"BN": "", "NB": ", batch in columns", "N": ", one vector at a time", "N1": ", one column at a time"}
        lies = f" {in_words(self.input_axes, 'n')}" if self.is_sequence else usual.get(self.input_axes, ", one row")
        outputs = self.output_axes
        turned = f", outputs {in_words(outputs, 'd')}" if self.is_sequence and outputs != self.input_axes else ""
        return f"called with {form}{lies if self.is_sequence else ''}, and {count}{where}" + (
            turned if self.is_sequence else lies
        )

    def call(
        self, cell: FreshCall, x: Array, states: Sequence[Array], further: Mapping[str, Array] | None = None
    ) -> Any:
        """Call forward.

        Args:
            cell: The cell, on which nothing was called.
            x: The input, its axes in the usual order.
            states: The states, their axes in the usual order.
            further: What else it is given by name, as it takes it.

        Returns:
            What forward gives back.
        """
        laid_out = [arrange(state, self.state_axes) for state in states[: self.states]]
        if self.entry in ("set_state", "attributes"):
            call_target(cell.set_states, self.attributes, laid_out)
        values = {"x": arrange(x, self.input_axes)} | {str(i): state for i, state in enumerate(laid_out)}
        arguments = [values[name] if name in values else tuple(values[part] for part in name) for name in self.order]
        with np.errstate(all="ignore"):
            if self.keywords:
                return call_target(cell.forward, **dict(zip(self.keywords, arguments, strict=True)), **(further or {}))
            return call_target(cell.forward, *arguments, **(further or {}))

    def read(self, cell: FreshCall, result: object) -> list[Array]:
        """Read the results, their axes in the usual order.

        Args:
            cell: The cell, after the call.
            result: What forward gave back.

        Raises:
            WrongShape: A result is missing, or has another shape than it should.
        """
        stored = attribute_entries(cell, self.attributes)
        arrays = []
        for path, axes in self.results:
            value = stored[path] if path in stored else entry_at(result, path)
            if value is None or value.ndim != len(axes):
                shape = "nothing" if value is None else f"an array of shape {value.shape}"
                raise WrongShape(f"it gives {shape} where {in_words(axes, 'd')} is expected")
            arrays.append(np.array(restore(value, axes)))
        return arrays

    def described_result(self) -> str:
        """Return what is expected to come back, in words."""
        state = in_words(self.state_axes, "d")
        return (
            f"outputs {in_words(self.output_axes or self.input_axes, 'd')}" if self.is_sequence else f"states {state}"
        )


def result_entries(result: object) -> dict[ResultPath, Array]:
    """Return the arrays in what a call gives back, by where they are; a list of steps is also one array, time first.

    Args:
        result: An array, or tuples, lists and dictionaries of arrays; anything else has none.
    """
    entries: dict[ResultPath, Array] = {}
    _collect(result, (), entries)
    return entries


def entry_at(result: object, path: ResultPath) -> Array | None:
    """Return the array that `result_entries` has at a place, without a look at the others; None where it has none.

    Args:
        result: What a call gives back.
        path: The attributes, keys and positions that lead to it.
    """
    if len(path) > MAX_RESULT_DEPTH + 1:
        return None
    value = result
    for key in path:
        value = _parts(value).get(key)
    return np.asarray(value) if isinstance(value, np.ndarray | np.floating) else _steps(value)


def _collect(value: object, path: ResultPath, entries: dict[ResultPath, Array]) -> None:
    if isinstance(value, np.ndarray | np.floating):
        entries[path] = np.asarray(value)
        return
    if len(path) > MAX_RESULT_DEPTH:
        return
    parts = _parts(value)
    steps = _steps(value)
    if steps is not None:
        entries[path] = steps
    for key, part in parts.items():
        _collect(part, (*path, key), entries)


def _parts(value: object) -> Mapping[str, object]:
    """The parts of a tuple, a list, a dictionary or an object with attributes."""
    if isinstance(value, dict):
        return {str(key): part for key, part in value.items()}
    if isinstance(value, tuple | list):
        return {str(position): part for position, part in enumerate(value)}
    return dict(vars(value)) if hasattr(value, "__dict__") and not callable(value) else {}


def _steps(value: object) -> Array | None:
    """The steps of a list, or of a dictionary by the number of the step, as one array; None if it holds none."""
    if isinstance(value, dict):
        if not value or not all(isinstance(key, int) for key in value):
            return None
        steps = [value[key] for key in sorted(value) if key >= 0]
    else:
        steps = list(value) if isinstance(value, list | tuple) else []
    if len(steps) < 1 or not all(isinstance(step, np.ndarray) for step in steps):
        return None
    return np.stack(steps) if len({step.shape for step in steps}) == 1 else None


def attribute_entries(cell: FreshCall, attributes: Sequence[str]) -> dict[ResultPath, Array]:
    """Return the states that a cell keeps in attributes, each under its name with a point before it.

    Args:
        cell: The cell after a call of forward.
        attributes: The names of the attributes; what is no array there is left out.
    """
    values = cell.states(attributes) if attributes else []
    return {
        (f".{name}",): value for name, value in zip(attributes, values, strict=True) if isinstance(value, np.ndarray)
    }


def trial_value(values: Array, axes: str) -> Array:
    """Return the first row of an array (.., B, N), if these axes have no rows; else all of it.

    Args:
        values: The array, its axes in the usual order with rows.
        axes: The axes of the call.
    """
    return values if "B" in axes else values[..., 0, :] if "T" in usual_axes(axes) else values[0]
