"""A decoder that loops over a target is driven by its method of one step, with an encoder's outputs."""

from __future__ import annotations

import pytest

from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.loading.method_of_module import target_of_step_method
from rnn_harness.validation.loading.methods_of_steps import methods_of_steps
from tests.helpers import HELPERS
from tests.helpers.attention_decoders import AttentionDecoder

FILE = HELPERS / "attention_decoders.py"


def test_a_decoder_is_driven_by_its_step() -> None:
    assert methods_of_steps(AttentionDecoder) == ["forward_step"]
    target = target_of_step_method(load_target(f"{FILE}:AttentionDecoder"))
    assert target is not None
    assert "its method forward_step is judged" in " ".join(target.capabilities.notes)
    convention = probe_target(target).convention
    assert (convention.sequence, convention.states) == (False, 1)


@pytest.mark.deep("tests/unit/validation/test_step_of_decoder.py::test_a_decoder_is_driven_by_its_step")
@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("AttentionDecoder", "consistent", ""),
        ("AttendsOverRows", "refuted", "a row's state depends on the other rows of the batch"),
    ],
)
def test_a_decoder_that_mixes_rows_in_its_step_is_refuted(name: str, outcome: str, words: str) -> None:
    request = ValidationRequest(dtypes=("float64",), examples=0)
    verdict = collect_validation(name, run_validation(load_target(f"{FILE}:{name}"), request))
    assert verdict.outcome == outcome
    assert words in (verdict.diagnosis.sentence() if verdict.diagnosis else "")
