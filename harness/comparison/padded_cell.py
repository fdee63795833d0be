"""A layer run on rows of several lengths, which it is told in the way that it takes: lengths, a mask, packed rows."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.array_types import Array
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.validation.loading.driver import TargetDriver, is_layer_of_torch

if TYPE_CHECKING:
    from rnn_harness.comparison.run_cell import DrawnRun
    from rnn_harness.comparison.tied_cell import TiedCell
    from rnn_harness.validation.consistency.driven_cell import CellArguments, CellRun, DrivenCell
    from rnn_harness.validation.consistency.length_properties import LengthForm

PACKED = "packed sequences"


@dataclass(frozen=True)
class PaddedCellOutputs:
    """What a layer gave for rows of several lengths.

    Attributes:
        argument: By what it was told them; empty where it takes none.
        outputs: (T, B, d); None where it gives no output of every step.
        finals: The final states (B, d) that come back, by the names of its equations.
    """

    argument: str
    outputs: PlainArray | None = None
    finals: dict[str, PlainArray] = field(default_factory=dict)


def padded_cell_outputs(tied: TiedCell, drawn: DrawnRun, parameters: dict[str, Array]) -> PaddedCellOutputs:
    """Run a layer on rows of several lengths.

    Args:
        tied: The layer with its equations.
        drawn: The lengths, and inputs that hold zeros past the end of each row.
        parameters: All weights by the names of its equations.

    Returns:
        What it gave; without an argument where it takes steps one by one, or no lengths.
    """
    import torch

    from rnn_harness.arithmetic.torch_dtype import torch_dtype
    from rnn_harness.references import get_reference
    from rnn_harness.validation.consistency.driven_cell import CellArguments, make_cell

    none = PaddedCellOutputs("")
    driver = tied.kernel.build(get_reference("rnn")) if tied.kernel is not None else None
    if not isinstance(driver, TargetDriver) or not driver.convention.sequence:
        return none
    inputs = torch.tensor(drawn.inputs.array(drawn.dtype))
    d = next(iter(drawn.states.values())).shape[1]
    convention, capabilities, names = driver.convention, driver.capabilities, driver.state_names
    cell = make_cell(driver.make_module, capabilities, convention, (inputs.shape[2], d), drawn.dtype, names)
    dtype = torch_dtype(drawn.dtype)
    packed = {name: torch.tensor(value, dtype=dtype) for name, value in driver.table.pack(parameters).items()}
    cell = replace(cell, parameters={name: packed.get(name, value) for name, value in cell.parameters.items()})
    states = tuple(torch.zeros(inputs.shape[1], d, dtype=dtype) for _ in range(convention.states))
    arguments = CellArguments(inputs, states)
    run = _with_lengths(cell, arguments, drawn.lengths)
    if run is None:
        return none
    argument, computed = run
    outputs, finals = computed.outputs[0], dict(zip(names, computed.finals, strict=False))
    if convention.prefixes:
        return PaddedCellOutputs(argument, None, {driver.output_name: _plain(outputs[-1])})
    return PaddedCellOutputs(argument, _plain(outputs), {name: _plain(value) for name, value in finals.items()})


def _with_lengths(cell: DrivenCell, arguments: CellArguments, lengths: tuple[int, ...]) -> tuple[str, CellRun] | None:
    """Tell a layer the lengths in the first way in which whole rows are as usual; None where there is none."""
    from rnn_harness.validation.consistency.consistency_property import largest_gap
    from rnn_harness.validation.consistency.optional_arguments import run_with

    steps, rows = arguments.inputs.shape[:2]
    if is_layer_of_torch(cell.module):
        return PACKED, _packed_run(cell, arguments, lengths)
    usual = cell.run(arguments)
    for form in _forms(cell):
        with contextlib.suppress(Exception):  # a form that it need not take
            of_complete = run_with(cell, arguments, form.keywords((steps,) * rows, steps))
            if largest_gap(of_complete, usual) <= STRUCTURAL[cell.arithmetic]:
                return form.name, run_with(cell, arguments, form.keywords(lengths, steps))
    return None


def _forms(cell: DrivenCell) -> Iterator[LengthForm]:
    """Yield the ways of telling a layer the lengths: those of its library, and what its arguments are called."""
    import torch

    from rnn_harness.validation.consistency.length_properties import LengthForm, forms_of_lengths

    dtype = cell.parameters[next(iter(cell.parameters))].dtype
    yield from forms_of_lengths(cell, dtype)
    takes_mask = "mask" in inspect.signature(cell.module.forward).parameters
    if takes_mask and not cell.is_torch:  # of Keras: (B, T), true where a step counts
        yield LengthForm("mask", torch.bool, is_mask=True, is_batch_first=True)


def _packed_run(cell: DrivenCell, arguments: CellArguments, lengths: tuple[int, ...]) -> CellRun:
    """Run a layer of torch on packed rows."""
    from rnn_harness.validation.consistency.driven_cell import CellRun
    from rnn_harness.validation.loading.driver import WithPackedRows, run_over_time

    layer = WithPackedRows(cell.module, np.asarray(lengths))
    run = run_over_time(layer, cell.convention, dict(cell.parameters), arguments.inputs, list(arguments.states))
    assert run.outputs is not None, "a layer gives outputs of all steps"
    return CellRun((run.outputs,), tuple(run.final_states)).detached()


def _plain(value: object) -> PlainArray:
    import torch

    assert isinstance(value, torch.Tensor), "a run of a layer gives tensors"
    return PlainArray.of(to_numpy(value.detach()).astype(np.float64))
