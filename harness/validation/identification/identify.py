"""Which cell is a target: family, variant, gate order and layout, from shapes and a few runs on generic numbers?"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.errors import UsageError
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.identification.agreements import Agreements
from rnn_harness.validation.identification.decode import Decoder
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.identification.near_match import is_another_function
from rnn_harness.validation.identification.parameter_layout import Layout, fits_gates, possible_layouts
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.identification.read_out import is_of_read_out
from rnn_harness.validation.identification.time_steps import needs_other_time_steps
from rnn_harness.validation.identification.variants import all_models, with_cell_clip, with_offset
from rnn_harness.validation.loading.target import Target

IDENTIFICATION_SECONDS = 4.0
"""How much of its core's time a search among the right cells may take; one that finds something takes below one. A
target that is not found within it is none that is known: the usual cells are tried first."""


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
        target: The target that the probe is of.
        probe: Runs of the target.
        with_ignored: Take parameters without influence too, where their shape fits.

    Raises:
        UsageError: The parameters are none of a cell.
    """
    if needs_other_time_steps(probe):
        raise UsageError(
            f"{target.name} computes with {', '.join(probe.ignored)} where the time between steps is another than 1, "
            "as none of the known cells does"
        )
    n, d = probe.sizes
    shapes = {name: value.shape for name, value in probe.parameters.items() if name not in probe.constant}
    used = [name for name in shapes if name not in probe.ignored]
    fitting = [name for name in shapes if name in used or fits_gates(shapes[name], n, d)]
    layouts: list[Layout] = []
    if with_ignored and fitting != used:
        # Many vectors without influence are no biases: norms, for example, that are made and not used.
        readings = possible_layouts({name: shapes[name] for name in fitting}, n, d)
        layouts = [layout for layout in readings if layout.has_plausible_vectors]
    if not layouts:
        layouts = possible_layouts({name: shapes[name] for name in used}, n, d)
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
        target: The target that is compared with every known cell.
        probe: Runs of the target, if there are any already. Its tolerance and its number of steps become those with
            which the target was identified.

    Returns:
        One identification, several where the runs cannot tell them apart, or none.

    Raises:
        UsageError: The target cannot be driven, or its parameters fit no cell.
    """
    probe = probe or probe_target(target)
    layouts: list[Layout] = []
    with contextlib.suppress(UsageError):  # without the ones that have no influence it may have no weights at all
        layouts += target_layouts(target, probe, with_ignored=False)
    if probe.ignored or not layouts:
        layouts += [layout for layout in target_layouts(target, probe) if layout not in layouts]
    # A cell that computes in float32 under the name of float64 is identified all the same, and the checks report its
    # precision, unless a constant of its own makes the difference. So is a cell that is wrong in sequences of one step.
    end, finest = time.process_time() + IDENTIFICATION_SECONDS, probe.tolerance
    attempts = [(probe.tolerance, probe.steps), (SCREEN_SINGLE, probe.steps)]
    attempts += [(probe.tolerance, 2)] if probe.convention.sequence and probe.steps == 1 else []
    for tolerance, steps in dict.fromkeys(attempts):
        probe.tolerance, probe.steps = tolerance, steps
        agreements = Agreements()
        for layout in layouts:
            identifications: dict[str, Identification] = {}
            for identification in _identifications(probe, layout, target.declared_model, end, agreements):
                if tolerance > finest and is_another_function(identification, probe, finest):
                    continue
                complete = _with_remaining_parameters(identification, probe)
                identifications.setdefault(complete.sentence(), complete)
            if identifications:
                return tuple(identifications.values())
    # Only what is known to compute in float32 may be near a cell and no more: another one would have other constants.
    probe.tolerance, probe.steps = attempts[1 if target.capabilities.is_single_inside else 0]
    return ()


def _with_remaining_parameters(identification: Identification, probe: Probe) -> Identification:
    """Add the parameters that are no part of the cell: those without influence, and constants."""
    assigned = {name for name, _ in identification.assignment.layout.forms}
    unused = tuple(name for name in probe.ignored if name not in assigned)
    constants = tuple((name, float(probe.parameters[name].flat[0])) for name in probe.constant)
    silent = tuple(name for name in unused if not is_of_read_out(probe, name))
    forgotten = _forgotten_gates(identification, silent, probe) or _forgotten_biases(identification, silent, probe)
    return replace(identification, unused=unused, forgotten=forgotten, constants=constants)


def _forgotten_gates(identification: Identification, unused: tuple[str, ...], probe: Probe) -> tuple[str, ...]:
    """Name the unused parameters with which the cell has the gates of a larger one: it registers gates it does not use.

    Args:
        identification: The cell.
        unused: Names of parameters.
        probe: Runs of the target.
    """
    n, d = probe.sizes
    names = tuple(name for name in unused if fits_gates(probe.parameters[name].shape, n, d))
    assigned = identification.assignment.layout
    if not names or not any(probe.parameters[name].ndim > 1 for name in names):
        return ()
    used = [name for name, _ in assigned.forms]
    if all(_is_of_other_direction(name, used) for name in names) or _are_a_copy(names, used, probe):
        return ()
    shapes = {name: probe.parameters[name].shape for name in (*used, *names)}
    larger = any(layout.gates > assigned.gates for layout in possible_layouts(shapes, n, d))
    return names if larger else ()


def _are_a_copy(names: Sequence[str], used: Sequence[str], probe: Probe) -> bool:
    """Say whether parameters without influence have the last names and the shapes of all that are used, or several do.

    They are gradients, averages or a copy of the cell, and no gates of a larger one.
    """
    kinds, others = ([(_last_name(name), probe.parameters[name].shape) for name in group] for group in (used, names))
    times, remainder = divmod(len(others), len(kinds))
    return not remainder and sorted(others) == sorted(kinds * times)


def _last_name(name: str) -> str:
    """The last part of a name: torch joins the names of parts by dots, trees of arrays are joined by slashes."""
    return re.split(r"[./]", name)[-1]


_DIRECTIONS = (("backward", "forward"), ("bwd", "fwd"), ("bw", "fw"), ("_b", "_f"))


def _is_of_other_direction(name: str, used: Sequence[str]) -> bool:
    """Whether a name is that of a weight that is used, for the direction that reads from the end: ``Whb`` for ``Whf``.

    Args:
        name: A parameter without influence.
        used: The parameters of the cell.
    """
    ahead = [name.replace(behind, front) for behind, front in _DIRECTIONS if behind in name]
    ahead += [f"{name[:-1]}f"] if name.endswith("b") else []
    return any(counterpart in used for counterpart in ahead)


def _forgotten_biases(identification: Identification, unused: tuple[str, ...], probe: Probe) -> tuple[str, ...]:
    """Name the unused parameters that are the biases which the cell lacks, by their names and their number.

    The arguments are those of `_forgotten_gates`.
    """
    names = [name for name in unused if _last_name(name).lower().startswith("b")]
    count = sum(probe.parameters[name].size for name in names) // probe.sizes[1]
    used = identification.assignment.names
    lacking = [name for name in identification.model.parameter_names("b") if name not in used]
    missing = sum(is_kind(name, ParameterKind.BIAS) for name in lacking)
    # That of a candidate whose reset gate multiplies behind the recurrent matrix.
    inner = sum(is_kind(name, ParameterKind.RECURRENT_BIAS) for name in lacking)
    return tuple(names) if count and count in (missing, 2 * missing, inner, missing + inner) else ()


def _identifications(
    probe: Probe, layout: Layout, declared: CellModel | None, end: float, agreements: Agreements
) -> Iterator[Identification]:
    """Every right cell that a target equals with its parameters in one layout, found until the time `end`."""
    models = all_models(layout, probe.convention.states, is_layer=probe.convention.sequence)
    for model in dict.fromkeys((declared, *models) if declared is not None else models):
        if time.process_time() > end:
            return
        for states in state_orders(model, probe):
            clipped = with_cell_clip(probe, layout, model, states)
            for variant in dict.fromkeys((with_offset(probe, layout, clipped, states), clipped, model)):
                decoder = Decoder(probe, layout, variant, states, agreements)
                if not decoder.agrees_at_zero():
                    continue
                assignments = decoder.assignments()
                yield from (Identification(variant, row, states, probe.convention) for row in assignments)
                if assignments:
                    break
