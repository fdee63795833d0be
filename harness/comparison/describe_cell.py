"""What a target is, how large, how fast and with which weights it begins: found out where its code runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.comparison.cell_description import CellDescription, OwnDecay, PlainModel, SequenceOrder
from rnn_harness.comparison.cell_times import TIMED_SIZES, cell_times
from rnn_harness.comparison.inputs_side_by_side import input_width
from rnn_harness.comparison.own_decay import candidate_decay
from rnn_harness.comparison.tied_cell import TiedCell, load_compared, tie
from rnn_harness.errors import NotRun, UsageError, named_error
from rnn_harness.kernels.setting import Setting
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.references import get_reference
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.runtime.torch_seed import seed_torch
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.parameter_blocks import StorageForm
from rnn_harness.validation.identification.saved_map import to_map_file
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import ValidationRequest
from rnn_harness.validation.spec_search.saved_spec_map import to_spec_map_file

Result = TypeVar("Result")
DRAWN_SIZES = (8, 32)
"""The input size and the hidden size of the weights that a constructor draws."""


def describe(request: ValidationRequest, target: Target | None = None, is_measured: bool = True) -> CellDescription:
    """Describe a target in this process.

    Args:
        request: Names it; the spec of the request is tried first.
        target: The target itself, where it is loaded already.
        is_measured: Whether its speed, its size and its first weights are wanted too.

    Raises:
        UsageError: It cannot be loaded or driven.
    """
    loaded = target or load_compared(request)
    try:
        tied = tie(loaded, request)
    except WrongLayout as fault:
        return CellDescription(request.target, "unknown", str(fault))
    convention, capabilities = tied.probe.convention, tied.target.capabilities
    notes: list[str] = []
    times = _measured("its speed", lambda: cell_times(tied), notes) if is_measured else None
    parameters = _measured("its parameters", lambda: _parameter_count(tied), notes) if is_measured else None
    drawn = _measured("what its constructor draws", lambda: _drawn(tied), notes) if is_measured else None
    decay = None if drawn is None else _own_decay(tied, drawn)
    if tied.kernel is None:
        return CellDescription(
            request.target,
            "unknown",
            tied.reason,
            reading=convention.reading,
            parameters=parameters or (0, ""),
            initial={name: PlainArray.of(value) for name, value in (drawn or {}).items()},
            decay=decay,
            times=times,
            notes=(*capabilities.notes, *notes),
        )
    initial = None if drawn is None else _measured("its first weights", lambda: _initial(tied, drawn), notes)
    sizes = capabilities.fixed_sizes
    family = tied.match is not None
    return CellDescription(
        request.target,
        "family" if family else "spec",
        _sentence(tied),
        spec=tied.spec_name,
        model=None if tied.match is None else PlainModel.of(tied.match.model),
        names=_names(tied),
        places=_places(tied),
        map=_map(tied),
        reading=convention.reading,
        order=_order(convention),
        sizes=None if sizes is None else (sizes.input_size, sizes.hidden_size),
        dtypes=tuple(setting.dtype for setting in tied.kernel.settings),
        parameters=parameters or (0, ""),
        initial=initial or {},
        decay=decay,
        times=times,
        absolute_function_error=capabilities.absolute_function_error,
        without_influence=() if tied.match is None else tied.match.unused,
        is_complete=not (
            tied.match.absent if tied.match is not None else tied.kernel.build(get_reference("rnn")).absent
        ),
        notes=(*capabilities.notes, *notes),
    )


def _map(tied: TiedCell) -> str:
    """Write the parameter map of a target; empty where it is known by the names of its parameters alone."""
    if tied.match is not None:
        return to_map_file(tied.match).model_dump_json()
    match = None if tied.candidate is None else tied.candidate.match
    return "" if match is None else to_spec_map_file(match, tied.probe.convention).model_dump_json()


def _order(convention: CallingConvention) -> SequenceOrder:
    """Say which axis of a sequence comes first."""
    if not convention.sequence or convention.axes_of_input not in ("TBn", "BTn"):
        return ""
    return "batch first" if convention.batch_first else "time first"


def _measured(noun: str, measure: Callable[[], Result], notes: list[str]) -> Result | None:
    """Measure something that is no part of the verdict; where the target does not take the sizes, a note says so."""
    try:
        return measure()
    except (UsageError, NotRun, RuntimeError, ValueError, TypeError) as error:
        notes.append(f"{noun} is not known ({named_error(error)})")
        return None


def _sentence(tied: TiedCell) -> str:
    """Say what the target computes."""
    if tied.match is not None:
        return tied.fault or tied.match.sentence()
    assert tied.candidate is not None, "a tied cell is one of a family or of a spec"
    return tied.candidate.sentence


def _names(tied: TiedCell) -> tuple[str, ...]:
    """The parameters that the target has, by the names of its equations."""
    if tied.match is not None:
        return tuple(dict.fromkeys(tied.match.assignment.names))
    assert tied.candidate is not None, "a tied cell is one of a family or of a spec"
    names = [parameter.name for parameter in tied.candidate.spec.program().parameters]
    match = tied.candidate.match
    return tuple(name for name in names if match is None or name not in match.table.absent)


def _places(tied: TiedCell) -> dict[str, tuple[str, ...]]:
    """Say where every parameter of the equations stands in the target's own."""
    places: dict[str, list[str]] = {}
    if tied.match is not None:
        table = tied.match.assignment.table
        forms = dict(table.forms)
        for block in table.blocks:
            text = block_in_words(block.parameter, block.block, block.of, forms[block.parameter])
            side = {"x": ", the columns of the input", "h": ", the columns of the state"}.get(block.side, "")
            form = forms[block.parameter]
            sign = "-" if block.flipped and form.vector else ""
            turned = turned_in_words(form, block.flipped and not form.vector, block.of)
            places.setdefault(block.name, []).append(f"{sign}{text}{side}{turned}")
    elif tied.candidate is not None and tied.candidate.match is not None:
        for slot, role in tied.candidate.match.table.roles:
            text = block_in_words(slot.parameter, slot.block, slot.of, slot.form)
            places.setdefault(role.piece.parameter, []).append(
                f"{text}{turned_in_words(slot.form, role.flipped, slot.of)}"
            )
    return {name: tuple(rows) for name, rows in places.items()}


def turned_in_words(form: StorageForm, is_flipped: bool, count: int) -> str:
    """Say what of a parameter of some blocks is transposed: the whole of it, or every block by itself.

    Args:
        form: How the parameter is stored.
        is_flipped: Whether a block holds its part of the equations transposed.
        count: The number of its blocks.
    """
    if is_flipped and count > 1:
        return ", where it lies transposed" if not form.turned else ", as it lies"
    return ", transposed" if form.turned != is_flipped else ""


def block_in_words(parameter: str, block: int, of: int, form: StorageForm) -> str:
    """Name a block of a parameter.

    Args:
        parameter: Its name among those of the target.
        block: Which block, from 0.
        of: The number of its blocks.
        form: How it is stored.
    """
    if of == 1:
        return parameter
    return f"{parameter}, block {block + 1} of {of}{' (interleaved)' if form.interleaved else ''}"


def _parameter_count(tied: TiedCell) -> tuple[int, str]:
    """Count the parameters of the target at the sizes of the measurement, or at its own."""
    n, d = tied.target.capabilities.fixed_sizes or (TIMED_SIZES["n"], TIMED_SIZES["d"])
    module = tied.target.make_module(n, d)
    return sum(parameter.numel() for parameter in module.parameters()), f"n = {n}, d = {d}"


def _drawn(tied: TiedCell) -> dict[str, Array]:
    """Return the weights that the constructor draws, by the target's own names."""
    seed_torch(0)
    module = tied.target.make_module(*_drawn_sizes(tied))
    return {name: to_numpy(value.detach()).astype(np.float64) for name, value in module.named_parameters()}


def _drawn_sizes(tied: TiedCell) -> tuple[int, int]:
    """Return the input size and the hidden size of the weights that are drawn."""
    return tied.target.capabilities.fixed_sizes or DRAWN_SIZES


def _initial(tied: TiedCell, drawn: dict[str, Array]) -> dict[str, PlainArray]:
    """Read the weights that the constructor draws as those of the equations."""
    n, d = _drawn_sizes(tied)
    n = n if tied.candidate is None else input_width(tied.candidate.spec.program(), n)
    weights = unpacked(tied, drawn, n, d)
    return {name: PlainArray.of(value) for name, value in weights.items()}


def _own_decay(tied: TiedCell, drawn: dict[str, Array]) -> OwnDecay:
    """Measure how fast the gradient shrinks by the target's own vector-Jacobian products, or say why it cannot be."""
    try:
        return OwnDecay(candidate_decay(tied, drawn, *_drawn_sizes(tied)))
    except NotRun as reason:
        return OwnDecay(None, str(reason))
    except (UsageError, RuntimeError, ValueError, TypeError) as error:
        return OwnDecay(None, named_error(error))


def unpacked(tied: TiedCell, packed: dict[str, Array], n: int, d: int) -> dict[str, Array]:
    """Read a target's own parameters as those of its equations; what stands in several places is added.

    Args:
        tied: The target.
        packed: Arrays by the target's names.
        n: The input size.
        d: The hidden size.
    """
    assert tied.kernel is not None, "what is unknown has no equations"
    subject = tied.kernel.subject(Setting("float64", "cpu"))
    shapes = subject.cell.parameter_shapes(n, d)
    names = _names(tied)
    if tied.match is not None:
        return tied.match.assignment.table.unpack(packed, {name: shapes[name] for name in names})
    assert tied.candidate is not None, "a tied cell is one of a family or of a spec"
    assert tied.candidate.match is not None, "a cell is tied to a spec that it equals"
    return tied.candidate.match.table.unpack(packed, shapes)
