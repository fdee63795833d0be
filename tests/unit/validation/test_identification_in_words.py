"""What Python shows of an identification."""

from __future__ import annotations

import torch

import rnn_harness


def test_an_identification_is_shown_as_a_sentence_with_the_id_of_its_spec() -> None:
    (identification,) = rnn_harness.identify(torch.nn.GRUCell)
    assert str(identification).startswith("GRU: reset after the recurrent product; ")
    assert repr(identification) == f"<gru.reset_after: {identification}>"
