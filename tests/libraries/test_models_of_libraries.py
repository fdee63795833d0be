"""Models of Keras, flax, Equinox and ONNX: what is wired wrong is named, and nothing else."""

from __future__ import annotations

import pytest

from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import load_target
from rnn_harness.validation.models.judge_model import wiring_statements
from rnn_harness.validation.models.understand import understand
from tests.helpers import HELPERS


def _refuted(file: str, name: str, **options: int) -> list[tuple[str, str]]:
    pytest.importorskip(file.partition("_")[0])
    statements = wiring_statements(understand(load_target(f"{HELPERS / file}:{name}", options)))
    assert any(statement.outcome is Outcome.AGREES for statement in statements)
    assert not [statement for statement in statements if statement.sentence.startswith("not decided")]
    return [(s.check, s.sentence) for s in statements if s.outcome is Outcome.REFUTED]


@pytest.mark.deep("tests/power/test_wrong_models.py::test_the_mistake_in_the_wiring_of_a_model_is_named")
@pytest.mark.filterwarnings("ignore:`build")  # Keras wants a build of a model that computes with its tokens
@pytest.mark.parametrize(
    "name", ["Scores", "MaskHandedOn", "LastStepPicked", "encoder_and_decoder", "two_kinds_of_tokens"]
)
def test_a_right_model_of_keras_is_not_refuted(name: str) -> None:
    assert not _refuted("keras_models.py", name)


@pytest.mark.deep("tests/power/test_wrong_models.py::test_the_mistake_in_the_wiring_of_a_model_is_named")
@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("MaskLost", "padding-token", "is given no mask: it runs over the padding"),
        ("two_kinds_of_tokens_mask_lost", "padding-token", "is given no mask: it runs over the padding"),
        ("exchanged_states", "handed-states", "they are exchanged"),
    ],
)
def test_the_mistake_in_a_model_of_keras_is_named(name: str, check: str, words: str) -> None:
    ((refuted, sentence),) = _refuted("keras_models.py", name)
    assert refuted == check
    assert words in sentence


@pytest.mark.deep("tests/power/test_wrong_models.py::test_the_mistake_in_the_wiring_of_a_model_is_named")
@pytest.mark.filterwarnings("ignore:`build")
def test_a_model_of_keras_that_does_not_say_how_it_is_made_serves_itself() -> None:
    assert not _refuted("keras_models.py", "SizesAlone", units=4)
    ((refuted, _),) = _refuted("keras_models.py", "SizesAloneMaskLost", units=4)
    assert refuted == "padding-token"


@pytest.mark.deep("tests/power/test_wrong_models.py::test_the_mistake_in_the_wiring_of_a_model_is_named")
@pytest.mark.parametrize(
    ("name", "checks"),
    [("Translator", []), ("TwoArguments", []), ("TranslatorOfMixedStates", ["handed-states"])],
)
def test_a_model_of_keras_of_two_sequences_is_driven(name: str, checks: list[str]) -> None:
    assert [check for check, _ in _refuted("keras_models.py", name, units=4)] == checks


@pytest.mark.deep("tests/power/test_wrong_models.py::test_the_mistake_in_the_wiring_of_a_model_is_named")
@pytest.mark.parametrize(("name", "checks"), [("BothDirections", []), ("PaddingFirst", ["lengths"]), ("Tagger", [])])
def test_lengths_and_tokens_of_flax_are_given(name: str, checks: list[str]) -> None:
    assert [check for check, _ in _refuted("flax_models.py", name)] == checks


@pytest.mark.deep("tests/power/test_wrong_models.py::test_the_mistake_in_the_wiring_of_a_model_is_named")
@pytest.mark.parametrize(("name", "checks"), [("last_states", []), ("last_row", ["lengths"])])
def test_tokens_and_lengths_of_onnx_are_given(name: str, checks: list[str]) -> None:
    pytest.importorskip("onnxruntime")
    assert [check for check, _ in _refuted("onnx_tokens.py", name)] == checks


@pytest.mark.parametrize(("name", "checks"), [("BothDirections", []), ("OneCellForBothWays", ["influence"])])
def test_a_cell_of_equinox_that_nothing_reads_is_named(name: str, checks: list[str]) -> None:
    refuted = _refuted("equinox_models.py", name)
    assert [check for check, _ in refuted] == checks
    assert all(sentence.startswith("back is not read: none of its parameters") for _, sentence in refuted)
