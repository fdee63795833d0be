"""Which cell is a target: family, variant, gate order and layout, from shapes and a few runs on generic numbers?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.identification.decode import Decoder
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.parameter_layout import Layout, fits_gates, possible_layouts
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.identification.variants import all_models, with_cell_clip, with_offset
from rnn_harness.validation.loading.target import Target


def state_orders(model: CellModel, probe: Probe) -> tuple[tuple[str, ...], ...]:
    """List the orders that the states of a target may have.

    Args:
        model: The cell that it may be.
        probe: The target.
    """
    if model.family != "lstm":
        return (("h",),)
    return (("h", "c"), ("c", "h")) if probe.convention.states == 2 else (("h", "c"),)


def target_layouts(target: Target, probe: Probe, with_ignored: bool = True) -> list[Layout]:
    """List the layouts that a target's parameters may have.

    Args:
        target: The target.
        probe: Runs of the target.
        with_ignored: Take parameters without influence too, where their shape fits.

    Raises:
        UsageError: The parameters are none of a cell.
    """
    n, d = probe.sizes
    shapes = {name: value.shape for name, value in probe.parameters.items()}
    names = [name for name in shapes if name not in probe.ignored or (with_ignored and fits_gates(shapes[name], n, d))]
    layouts = possible_layouts({name: shapes[name] for name in names}, n, d)
    if not layouts:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise UsageError(
            f"{target.name} has the parameters {listed}; input and recurrent weights of 1 to 4 gates are not among "
            f"them, for input size {n} and hidden size {d}"
        )
    return layouts


def identify(target: Target, probe: Probe | None = None) -> tuple[Identification, ...]:
    """Find every right cell that a target equals.

    Args:
        target: The target.
        probe: Runs of the target, if there are any already. Its tolerance and its number of steps become those with
            which the target was identified.

    Returns:
        One identification, several where the runs cannot tell them apart, or none.

    Raises:
        UsageError: The target cannot be driven, or its parameters fit no cell.
    """
    probe = probe or probe_target(target)
    candidates: list[tuple[Layout, tuple[str, ...]]] = [(layout, ()) for layout in target_layouts(target, probe)]
    n, d = probe.sizes
    unused = tuple(name for name in probe.ignored if fits_gates(probe.parameters[name].shape, n, d))
    if unused:
        with contextlib.suppress(UsageError):  # without them it may have no weights at all
            candidates += [(layout, unused) for layout in target_layouts(target, probe, with_ignored=False)]
    # A cell that computes in float32 under the name of float64 is identified all the same, and the checks report its
    # precision. So is a cell that is wrong in sequences of one step alone.
    attempts = [(probe.tolerance, probe.steps), (SCREEN_SINGLE, probe.steps)]
    attempts += [(probe.tolerance, 2)] if probe.convention.sequence and probe.steps == 1 else []
    for tolerance, steps in dict.fromkeys(attempts):
        probe.tolerance, probe.steps = tolerance, steps
        for layout, ignored in candidates:
            identifications: dict[str, Identification] = {}
            for identification in _identifications(probe, layout, target.declared_model):
                identifications.setdefault(identification.sentence(), replace(identification, unused=ignored))
            if identifications:
                return tuple(identifications.values())
    probe.tolerance, probe.steps = SCREEN_SINGLE, attempts[0][1]
    return ()


def _identifications(probe: Probe, layout: Layout, declared: CellModel | None) -> Iterator[Identification]:
    """Every right cell that a target equals with its parameters in one layout."""
    models = all_models(layout, probe.convention.states, is_layer=probe.convention.sequence)
    for model in dict.fromkeys((declared, *models) if declared is not None else models):
        for states in state_orders(model, probe):
            clipped = with_cell_clip(probe, layout, model, states)
            for variant in dict.fromkeys((with_offset(probe, layout, clipped, states), clipped, model)):
                decoder = Decoder(probe, layout, variant, states)
                if not decoder.agrees_at_zero():
                    continue
                assignments = decoder.assignments()
                yield from (Identification(variant, row, states, probe.convention) for row in assignments)
                if assignments:
                    break
