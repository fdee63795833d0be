"""A candidate as a reference, for the programs that show a counterexample."""

from __future__ import annotations

from dataclasses import replace

from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.references import Reference
from rnn_harness.validation.diagnosis.nearest import identify_faulty
from rnn_harness.validation.identification.identify import identify, target_layouts
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.candidate_kernel import candidate_kernel
from rnn_harness.validation.judging.own_specs import spec_without_reference, state_names_of
from rnn_harness.validation.judging.spec_file import spec_file_candidate
from rnn_harness.validation.loading.target import load_target


def candidate_as_reference(target: str, options: Options | None = None, spec: str = "auto") -> Reference:
    """Drive a candidate by ``forward(parameters, inputs, states)`` and ``backward``, with the names of its spec.

    Args:
        target: The candidate as it is typed.
        options: What its constructor or its adapter needs besides the sizes.
        spec: The spec file, or the id of the cell of the literature, that it is held against.

    Returns:
        The candidate, with the parameters and states of the spec that it is, or is nearest to.

    Raises:
        SpecError: The file is no spec.
        UsageError: It is near no known cell, or its parameters do not fit the spec.
    """
    candidate = load_target(target, dict(options or {}), state_names=state_names_of(spec))
    own_spec = spec_without_reference(spec)
    if own_spec is not None:
        kernel_of_spec = spec_file_candidate(candidate, own_spec, ("float64",)).kernel
        return kernel_of_spec.subject(kernel_of_spec.settings[0]).cell
    response = probe_target(candidate)
    matches = identify(candidate, response) or tuple(
        identify_faulty(response, target_layouts(candidate, response), None)
    )
    if not matches:
        raise UsageError(f"{target} is near no cell that is known")
    faultless = replace(matches[0], model=replace(matches[0].model, faults=()))
    kernel = candidate_kernel(candidate, faultless)
    return kernel.subject(kernel.settings[0]).cell
