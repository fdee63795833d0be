"""Whether a step gives something besides its states: the scores of classes, say."""

from __future__ import annotations

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.loading.parameter_exchange import own_call, with_leaves


def has_read_out(probe: Probe) -> bool:
    """Say whether a step gives a tensor whose last axis has another size than the states.

    Args:
        probe: Runs of a target; of one that takes a sequence the answer is no.
    """
    import torch

    convention = probe.convention
    if convention.sequence or not convention.takes_rows:
        return False
    dtype = torch_dtype(probe.dtype)
    states = [torch.tensor(state, dtype=dtype) for state in probe.states[: convention.states]]
    with torch.no_grad():
        results = convention.results(own_call(probe.module), torch.tensor(probe.inputs[0], dtype=dtype), states)
    return any(result.shape[-1:] != states[0].shape[-1:] for result in results) if states else False


def is_of_read_out(probe: Probe, name: str) -> bool:
    """Say whether a parameter has an influence on something that comes back besides outputs and states, as scores are.

    Args:
        probe: Runs of a target; of one that takes single rows the answer is no.
        name: A parameter that has no influence on outputs and states.
    """
    import torch

    convention = probe.convention
    if not convention.takes_rows or convention.prefixes:
        return False
    dtype = torch_dtype(probe.dtype)
    states = [torch.tensor(state, dtype=dtype) for state in probe.states[: convention.states]]
    inputs = torch.tensor(probe.inputs if convention.sequence else probe.inputs[0], dtype=dtype)
    results = []
    for shift in (0.0, 1.0):
        values = {other: value + shift * (other == name) for other, value in probe.parameters.items()}
        leaves = {other: torch.tensor(value, dtype=dtype) for other, value in values.items()}
        with torch.no_grad():
            results.append(convention.results(with_leaves(probe.module, leaves), inputs, states))
    return not all(map(torch.equal, *results))
