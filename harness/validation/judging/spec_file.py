"""A candidate that is held against a spec without a reference: its equations, bounds and derived backward decide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN, SCREEN_SINGLE
from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels import Kernel
from rnn_harness.kernels.judge import kernel_cases
from rnn_harness.kernels.packing import ParameterMap
from rnn_harness.kernels.spec_signature import SpecSignature
from rnn_harness.records.validation import Diagnosis
from rnn_harness.specs import Spec
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.parameter_blocks import BlockMap, ParameterBlock, StorageForm
from rnn_harness.validation.identification.output_readings import first_reading, output_readings
from rnn_harness.validation.identification.probe import D, Probe, close, probe_target
from rnn_harness.validation.judging.candidate_kernel import spec_kernel
from rnn_harness.validation.judging.library_match import library_match_in_any_reading
from rnn_harness.validation.judging.observed_habits import with_observed_habits
from rnn_harness.validation.judging.own_specs import spec_without_reference
from rnn_harness.validation.judging.positive_parameters import with_positive_kept
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.spec_search.complements import Complement, complement_of
from rnn_harness.validation.spec_search.constant_below_root import fitting_constant, with_large_constants
from rnn_harness.validation.spec_search.diagnose import (
    cut_path,
    faulty_match_by_names,
    rewrite_diagnosis,
)
from rnn_harness.validation.spec_search.fault_search import faulty_match
from rnn_harness.validation.spec_search.matching import state_orders
from rnn_harness.validation.spec_search.program_runs import ProgramRuns
from rnn_harness.validation.spec_search.search import SpecMatch, TargetSearch, first_complement
from rnn_harness.validation.spec_search.signature import read_signature, specs_of_lengths
from rnn_harness.validation.spec_search.spec_pieces import empty_parameters

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class SpecCandidate:
    """A candidate tied to a spec.

    Attributes:
        kernel: The candidate as a kernel of the spec.
        spec: The spec that the candidate is held against, without a reference.
        probe: Runs of the candidate.
        match: How it equals the spec; None where it does not.
        known_diagnosis: What is wrong, where the search for its parameters showed it.
        parameters: The probe's parameters by the spec's names, where they are known by their own names alone.
        states: The names of its states, in its order.
        complement: The gate in whose place it has the complement, where that is the only difference.
    """

    kernel: Kernel
    spec: Spec
    probe: Probe
    match: SpecMatch | None
    known_diagnosis: Diagnosis | None
    parameters: Mapping[str, Array] | None
    states: tuple[str, ...]
    complement: Complement | None = None

    @property
    def sentence(self) -> str:
        """What it is."""
        return self.kernel.title if self.match is None else self.match.sentence()

    def diagnosis(self) -> Diagnosis | None:
        """Say which equation is wrong and how, or which path has no gradient; None where no single mistake is it."""
        diagnosis = self._difference()
        if diagnosis is None or self.complement is None:
            return diagnosis
        other_weights = f"with {', '.join(self.complement.negated)} negated it is {self.spec.id}"
        return diagnosis.model_copy(update={"difference": f"{diagnosis.difference}; {other_weights}"})

    def _difference(self) -> Diagnosis | None:
        """Say how it differs from its spec, with the weights where they stand."""
        if self.known_diagnosis is not None:
            return self.known_diagnosis
        if self.parameters is not None:
            rewrite = faulty_match_by_names(self.probe, self.spec, self.parameters, self.states)
            if rewrite is not None:
                return rewrite_diagnosis(self.spec, rewrite)
            # Square matrices of the spec's names may stand turned, and then their names tell nothing.
            faulty = faulty_match(TargetSearch(self.probe), self.spec)
            return None if faulty is None else faulty.diagnosis()
        evaluation = _gradient_evaluation(self.kernel)
        return None if evaluation is None else cut_path(evaluation)


def _gradient_evaluation(kernel: Kernel) -> Evaluation | None:
    """Return the candidate on a small case in float64; None if it does not take float64."""
    setting = next((setting for setting in kernel.settings if setting.dtype == "float64"), None)
    if setting is None:
        return None
    case = kernel_cases(kernel, setting)[0].model_copy(update={"B": 2, "T": 3, "features": ()})
    return kernel.evaluation(setting, case)


class UntiedParameters(UsageError):
    """A candidate that has the states and inputs of a spec equals it in no layout of its parameters that is known."""


def spec_file_candidate(target: Target, spec: Spec, dtypes: tuple[str, ...]) -> SpecCandidate:
    """Tie a candidate to a spec: by what its parameters do, else by their names, else by what a wrong one would do.

    Args:
        target: The candidate.
        spec: The spec, without a reference.
        dtypes: Those in which it is judged, if it takes them.

    Raises:
        UntiedParameters: Their parameters do not fit together.
        UsageError: Their states do not.
    """
    target = _of_equal_sizes(target) if has_equal_sizes(spec) else target
    target, probe = with_positive_kept(target, probe_target(target))
    target = with_observed_habits(target, probe)
    signature = SpecSignature(spec)
    _check_states(target, probe, spec, signature.state_names)
    probe, match = first_reading(probe, lambda reading: _match(TargetSearch(reading), spec))
    spec = match.spec if match is not None else next(specs_of_lengths(spec, probe), spec)
    shapes = {name: value.shape for name, value in probe.parameters.items()}
    wanted = _parameter_shapes(spec, probe)
    if match is not None and not (_has_the_names(shapes, wanted) and _is_turned_in_part(match)):
        kernel = _kernel(target, match.spec, dtypes, probe, match.table, match.states, match.table.absent)
        return SpecCandidate(kernel, match.spec, probe, match, None, None, match.states)
    turned = None
    if match is None:
        if target.capabilities.is_single_inside:  # what it rounds is none of its mistakes
            probe.tolerance = max(probe.tolerance, SCREEN_SINGLE)
        probe, turned = first_reading(probe, lambda reading: first_complement(TargetSearch(reading), [spec]))
    complement = None if turned is None else complement_of(turned.spec)
    try:
        table = match_parameters(spec.id, shapes, wanted)
    except UsageError as error:
        probe, faulty = first_reading(probe, lambda reading: faulty_match(TargetSearch(reading), spec))
        if faulty is None:
            raise UntiedParameters(str(error)) from None
        kernel = _kernel(target, faulty.spec, dtypes, probe, faulty.table, faulty.states, faulty.table.absent)
        return SpecCandidate(kernel, faulty.spec, probe, None, faulty.diagnosis(), None, faulty.states, complement)
    parameters = table.unpack(probe.parameters, wanted)
    orders = state_orders(spec.program(), probe) if read_signature(spec.program(), probe) else [signature.state_names]
    probe, states = _nearest_reading(probe, spec, orders, parameters)
    kernel = _kernel(target, spec, dtypes, probe, table, states, ())
    return SpecCandidate(kernel, spec, probe, None, None, parameters, states, complement)


def spec_map_candidate(target: Target, match: SpecMatch, wanted: str, dtypes: tuple[str, ...]) -> SpecCandidate:
    """Tie a candidate to a spec by a parameter map.

    Args:
        target: The candidate.
        match: The spec of the map, and which slot of the candidate's parameters is which piece of it.
        wanted: What the request compares with.
        dtypes: Those in which it is judged, if it takes them.

    Raises:
        UsageError: The map is of another spec than is asked for, or of a candidate with other parameters or states.
    """
    spec, table = match.spec, match.table
    asked = spec_without_reference(wanted)
    if asked is not None and asked.id != spec.id:
        raise UsageError(f"the map is one of {spec.id}, and --spec asks for {asked.id}; leave one of them out")
    target = _of_equal_sizes(target) if has_equal_sizes(spec) else target
    probe, signature = probe_target(target), SpecSignature(spec)
    target = with_observed_habits(target, probe)
    _check_states(target, probe, spec, signature.state_names)
    lacking = sorted({slot.parameter for slot, _ in table.roles} - set(probe.parameters))
    if lacking:
        has = ", ".join(probe.parameters)
        raise UsageError(f"{target.name} has no parameter {', '.join(lacking)}, which the map names; it has {has}")
    try:
        known = table.unpack(probe.parameters, _parameter_shapes(spec, probe))
    except ValueError as error:
        raise UsageError(f"the parameters of {target.name} do not have the shapes of the map: {error}") from None
    parameters = {**empty_parameters(spec.program(), ProgramRuns(spec.program(), probe, match.states).sizes), **known}
    probe, _ = _nearest_reading(probe, spec, [match.states], parameters)
    runs = ProgramRuns(spec.program(), probe, match.states)
    equals = runs.agree(probe.complete(), runs.respond(parameters, len(probe.inputs)))
    kernel = _kernel(target, spec, dtypes, probe, table, match.states, table.absent)
    return SpecCandidate(
        kernel, spec, probe, match if equals else None, None, None if equals else parameters, match.states
    )


def kernel_by_names(target: Target, spec: Spec, dtypes: tuple[str, ...]) -> Kernel:
    """Tie a candidate to a spec by the names of its parameters and the order of its states, right or wrong.

    Args:
        target: The candidate, whose parameters have the names and shapes of the spec's.
        spec: The spec, without a reference.
        dtypes: Those in which it is judged.

    Raises:
        UsageError: It cannot be driven, or has other parameters or states.
    """
    probe, signature = probe_target(target), SpecSignature(spec)
    _check_states(target, probe, spec, signature.state_names)
    shapes = {name: value.shape for name, value in probe.parameters.items()}
    table = match_parameters(spec.id, shapes, _parameter_shapes(spec, probe))
    return _kernel(target, spec, dtypes, probe, table, signature.state_names, ())


def library_candidate(target: Target, probe: Probe, dtypes: tuple[str, ...]) -> SpecCandidate | None:
    """Find the shipped spec without a reference that a candidate equals; None if it equals none.

    Args:
        target: The candidate.
        probe: Runs of it.
        dtypes: Those in which it is judged, if it takes them.
    """
    probe, match = library_match_in_any_reading(probe)
    if match is None:
        return None
    kernel = _kernel(target, match.spec, dtypes, probe, match.table, match.states, match.table.absent)
    return SpecCandidate(kernel, match.spec, probe, match, None, None, match.states)


def has_equal_sizes(spec: Spec) -> bool:
    """Say whether the inputs of a spec have the size of its states.

    Args:
        spec: A spec of one input; without inputs the answer is no.
    """
    inputs = spec.program().inputs
    return bool(inputs) and str(inputs[0].shape[0] if inputs[0].shape else "") == "d"


def _of_equal_sizes(target: Target) -> Target:
    """Return a target that is tried where its inputs and its states have one size."""
    if target.capabilities.fixed_sizes is not None:
        return target
    return replace(target, capabilities=replace(target.capabilities, fixed_sizes=CellSizes(D, D)))


def _check_states(target: Target, probe: Probe, spec: Spec, names: tuple[str, ...]) -> None:
    """Check that a candidate has the states of a spec. Raises UsageError."""
    given = probe.convention.states
    if any(read_signature(sized.program(), probe) for sized in specs_of_lengths(spec, probe)):
        return
    if given != len(names) and not (probe.convention.sequence and given < len(names)):
        states = ", ".join(names) or "none"
        raise UsageError(f"{target.name} is {probe.convention}, but {spec.id} has the states {states}")


def _match(search: TargetSearch, spec: Spec) -> SpecMatch | None:
    """Match exactly, else as float32 would; what it rounds is for the checks to say. The tolerance of a match stays."""
    probe = search.probe
    usual = probe.tolerance
    for tolerance in dict.fromkeys((probe.tolerance, SCREEN, SCREEN_SINGLE)):
        if tolerance < probe.tolerance:
            continue
        probe.tolerance = tolerance
        match = search.match_spec(spec)
        if match is not None:
            return replace(match, spec=fitting_constant(match.spec, match.table, match.states, probe, True))
    probe.tolerance = usual
    return next((match for open_spec in with_large_constants(spec) if (match := search.match_spec(open_spec))), None)


def _nearest_reading(
    probe: Probe, spec: Spec, orders: Sequence[tuple[str, ...]], parameters: Mapping[str, Array]
) -> tuple[Probe, tuple[str, ...]]:
    """Return the runs with that output, and that order of the states, with which they are the nearest to the spec."""
    readings = [(reading, order) for reading in output_readings(probe) for order in orders]
    if len(readings) == 1:
        return readings[0]

    def nearness(reading_and_order: tuple[Probe, tuple[str, ...]]) -> tuple[int, float]:
        """How many of the output of one step and its states are the spec's; then how near the others are."""
        reading, order = reading_and_order
        runs = ProgramRuns(spec.program(), reading, order)
        pairs = runs.pairs(reading.respond(reading.parameters, 1), runs.respond(parameters, 1))
        equal_tensors = sum(close(a, b, reading.tolerance) for a, b in pairs)
        return equal_tensors, -sum(float(np.nan_to_num(np.abs(a - b)).mean()) for a, b in pairs)

    return max(readings, key=nearness)


def _has_the_names(module_shapes: Shapes, spec_shapes: Shapes) -> bool:
    """Say whether the module's parameters have the names of the spec's, so that they mean what these say."""
    return {_plain(name) for name in module_shapes} == {_plain(name) for name in spec_shapes}


def _is_turned_in_part(match: SpecMatch) -> bool:
    """Say whether some square matrices are stored as the spec has them, and others transposed."""
    square = [role.flipped for slot, role in match.table.roles if len(set(slot.shape)) == 1 and len(slot.shape) == 2]
    return any(square) and not all(square)


def _kernel(
    target: Target,
    spec: Spec,
    dtypes: tuple[str, ...],
    probe: Probe,
    table: ParameterMap,
    states: tuple[str, ...],
    absent: tuple[str, ...],
) -> Kernel:
    """Make a kernel of a candidate whose parameters and states are known."""
    output = spec.program().outputs[0].name
    convention = probe.convention
    not_given = tuple(f"states.{name}" for name in states[convention.states :])
    returned = states[: len(convention.taken) - 1] if convention.sequence else states
    not_returned = tuple(f"finals.{name}" for name in states if name not in returned and name != output)
    driver = TargetDriver(
        target.make_module,
        convention,
        table,
        states,
        target.capabilities,
        (*absent, *not_given, *not_returned),
        output_name=output,
    )
    fitted = read_signature(spec.program(), probe)
    is_bound = spec.model.sizes or driver.are_states_joined or len(spec.model.inputs) > 1
    only_sizes = (fitted.sizes["n"], fitted.sizes["d"]) if fitted is not None and is_bound else None
    return spec_kernel(target, spec, driver, dtypes, only_sizes)


def _parameter_shapes(spec: Spec, probe: Probe) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a spec's parameters at the sizes of a target, by name."""
    fitted = read_signature(spec.program(), probe)
    sizes = probe.sizes if fitted is None else (fitted.sizes["n"], fitted.sizes["d"])
    return SpecSignature(spec).parameter_shapes(*sizes)


def match_parameters(spec_id: str, module_shapes: Shapes, spec_shapes: Shapes) -> BlockMap:
    """Match every parameter of a spec with the module's of the same name, or else with the only one of its shape.

    A matrix may be transposed.

    Args:
        spec_id: The spec's id, for messages.
        module_shapes: The shapes of the module's parameters, by name.
        spec_shapes: The shapes of the spec's parameters, by name.

    Raises:
        UsageError: A parameter has no counterpart, or several; the message lists both sides.
    """
    blocks: list[ParameterBlock] = []
    forms: dict[str, StorageForm] = {}
    for name, shape in spec_shapes.items():
        fitting = [parameter for parameter, its_shape in module_shapes.items() if its_shape in (shape, shape[::-1])]
        namesakes = [parameter for parameter in fitting if _plain(parameter) == _plain(name)]
        chosen = namesakes or fitting
        if len(chosen) != 1:
            raise UsageError(
                f"no parameter of the module is {name} of {spec_id}, and it equals {spec_id} in no layout of its "
                f"parameters that is known. The spec has {_listed(spec_shapes)}; the module has "
                f"{_listed(module_shapes)}. Give the module's parameters the names of the spec"
            )
        is_transposed = len(shape) == 2 and module_shapes[chosen[0]] != shape
        forms[chosen[0]] = StorageForm(turned=is_transposed, vector=len(shape) == 1)
        blocks.append(ParameterBlock(chosen[0], name, 0, 1))
    used = [block.parameter for block in blocks]
    spare = sorted(set(module_shapes) - set(used))
    doubled = sorted({parameter for parameter in used if used.count(parameter) > 1})
    if spare or doubled:
        raise UsageError(f"{spec_id} has no parameter for {', '.join(spare or doubled)} of the module")
    return BlockMap(tuple(blocks), tuple(forms.items()))


def _plain(name: str) -> str:
    """Reduce a name to what two spellings of it share."""
    in_cell = name.removeprefix("cell.")  # the name that a cell has in what joins its states or its inputs
    return re.sub(r"[^a-z0-9]", "", in_cell.lower()).removesuffix("weight").removesuffix("data")


def _listed(shapes: Shapes) -> str:
    """List names with shapes."""
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())
