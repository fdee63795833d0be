"""A spec as a target."""

from __future__ import annotations

import torch

from rnn_harness.comparison.spec_module import named_spec, spec_target


def test_a_spec_with_an_output_layer_gives_its_classes_and_its_state() -> None:
    spec = named_spec("rnn.sigma")
    assert spec is not None
    probabilities, state = spec_target(spec).make_module(3, 4)(torch.zeros(2, 3).double(), torch.zeros(2, 4).double())
    assert (probabilities.shape, state.shape) == ((2, 2), (2, 4))
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(2).double())
