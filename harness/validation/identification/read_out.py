"""Whether a step gives something besides its states: the scores of classes, say."""

from __future__ import annotations

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.loading.parameter_exchange import own_call


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
