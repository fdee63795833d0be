"""The wiring of models: nothing about a right one is refuted, and of a wrong one the mistake is named."""

from __future__ import annotations

import pytest

from rnn_harness.records.verdict import Outcome
from rnn_harness.validation import ValidationRequest, collect_validation, load_target, run_validation
from rnn_harness.validation.models.judge_model import wiring_statements
from rnn_harness.validation.models.understand import UnderstoodModel, understand
from tests.helpers import (
    HELPERS,
    models,
    models_with_cells,
    models_with_convolutions,
    models_with_lengths,
    models_with_own_layers,
    models_with_several_inputs,
    models_with_states,
)

FILE = HELPERS / "models.py"
QUICK = ValidationRequest(dtypes=("float64",), examples=0)
RIGHT = (
    "Tagger",
    "TimeFirstTagger",
    "Classifier",
    "MeanClassifier",
    "BothDirections",
    "BothDirectionsByStep",
    "TwoWays",
    "Layers",
    "SharedOnPurpose",
    "Residual",
    "Translator",
    "Packed",
    "EveryStep",
    "FunctionalDropout",
    "Memory",
    "AroundACell",
    "Projected",
    "OptionalStates",
    "Policy",
    "ListOfStates",
    "TwoCells",
    "LearnedStart",
    "ReadsWhatIsKept",
    "NextToken",
    "SideBySide",
    "ListsOfBothWays",
    "TagsAndSummary",
    "Continued",
    "ContinuedFromBothWays",
    "Captions",
    "Oscillators",
    "OwnLayersOfBothWays",
    "Dynamics",
    "Customers",
    "Continuation",
    "Frames",
    "Speech",
    "Signals",
)
WRONG = {
    "TaggerAlongTheBatch": ("rows", "batch and time are exchanged: it says ids (batch, seq_len), but the first axis"),
    "LastRowForLastStep": ("rows", "a row is taken where a step is meant"),
    "MeanOverRows": ("rows", "keep the steps and put the rows of the batch together"),
    "Mingled": ("rows", "batch and time are mixed"),
    "FirstStep": ("directions", "where it has seen one of"),
    "Detached": ("gradients", "no gradient reaches rnn"),
    "ReverseAtItsFirstStep": ("directions", "the reverse direction is read at its first step"),
    "OneDirectionAlone": ("directions", "the forward direction of encoder (bidirectional=True) has no influence"),
    "StatesOfTheLowerLayer": ("layers", "layer 1 of encoder (num_layers=2, counted from 0) has no influence"),
    "TwoWaysNotTurned": ("time", "the outputs of the reverse direction are not turned back"),
    "OwnLayersNotTurned": ("time", "the outputs of the reverse direction are not turned back"),
    "OneLayerTwice": ("sharing", "layers.0 and layers.1 are one object, so that they share their weights"),
    "LowerLayersCellState": ("carried-state", "layers.1 is given the cell state of layers.0 as its cell state"),
    "FirstStateForBoth": ("given-state", "state[0][1] and state[1][1] that is given has no influence"),
    "FirstLayerForAll": ("calls", "layers.1 and layers.2 are never called: layers.0"),
    "StateIgnored": ("given-state", "states[0], states[1] and states[2] that is given has no influence"),
    "TranslatorFromTheStart": ("carried-state", "every call starts from the same state"),
    "MeanWithPadding": ("lengths", "padding that is 3 steps longer changes the outputs"),
    "MeanToTheLongest": ("lengths", "shorter lengths of the other rows change the outputs of row"),
    "LastPaddedStep": ("lengths", "no input of row 1, whose length of"),
    "EndsAStepEarly": ("lengths", "the last step of every row, by its length, reaches no output"),
    "SortedOutputs": ("lengths", "rows in another order, each with its length"),
    "LowerLayersOutput": ("influence", "the output is that of layers.0"),
    "TopLayersStateForBoth": (
        "returned-state",
        "is the last state of layers.1 (hidden state), which is given as state[0][1]",
    ),
    "LayersExchanged": (
        "returned-state",
        "is the last state of layers.0 (hidden state), which is given as state[0][0]",
    ),
    "TwoWaysOffByOne": (
        "time",
        "in the order 0, 10, 9, 8, 7, 6, 5, 4, 3, 2 and 1",
    ),
    "HalfTheGradientOfOneAnswer": ("gradients", "the gradient of rnn through output 1 is not that of the outputs"),
    "SqueezesARow": ("batches", "for 1 row the output has shape (4,), not (1, 4)"),
    "LargeBatchesHalved": ("batches", "a row in a batch of 260 gives other numbers than in a batch of"),
    "OneCacheForAllCalls": ("two-calls", "another call before the backward changes the gradients"),
    "OneCellForBothWays": (
        "shared-directions",
        "onward and back are never called: forth, of the same size, reads every",
    ),
    "OneListForBothWays": ("shared-directions", "back.0 is never called: forth.0, of the same size, reads every step"),
    "LowerStateForBoth": ("carried-state", "second is given the hidden state of first as its own, next to reading it"),
    "StartNeverLearned": ("gradients", "no gradient reaches its own parameter start"),
    "FirstOptionalStateForAll": ("given-state", "h0[1] that is given has no influence"),
    "ResetTurnedAround": ("reset", "done is turned around"),
    "ResetOfOneState": ("reset", "where done is 1 state[0] is forgotten, and state[1] is not"),
    "ScoresOverTheBatch": ("rows", "row 0 of the batch changes the output of row 1"),
    "ReplacesTheCallersStates": (
        "arguments",
        "states, which it is given: whoever kept it has another state afterwards",
    ),
    "DeadLayer": ("influence", "second is called, and neither what it gives nor its parameters reach any output"),
    "ReadsTheWrongState": ("carried-state", "upper reads the cell state of lower in every step"),
    "NextTokenOverTime": ("scores", "add up to one over the second axis of the output"),
    "TopCellReadsTheInput": ("influence", "what cells.0 gives reaches nothing but its own last state"),
    "ContinuedWithExchangedStates": ("handed-states", "second is given the cell state of first as its hidden state"),
    "ContinuedFromMixedStates": (
        "handed-states",
        "decoder is given the hidden state and the cell state of others side by side as its hidden state",
    ),
    "DynamicsNotCarried": ("carried-state", "every call starts from the same state"),
    "CustomersFirstMonth": ("directions", "where it has seen one of"),
    "FramesNotCarried": ("carried-state", "every call starts from the same state"),
    "SpeechByAView": ("lengths", "its padding is not left out"),
    "SignalsLastRow": ("rows", "a row is taken where a step is meant"),
    "DropoutInEvaluation": ("evaluation", "in evaluation there is dropout between rnn and the output"),
}

SAME_KIND = {
    "OwnLayersNotTurned": "TwoWaysNotTurned",
    "OneListForBothWays": "OneCellForBothWays",
    "FirstOptionalStateForAll": "FirstStateForBoth",
    "ContinuedFromMixedStates": "ContinuedWithExchangedStates",
    "TranslatorFromTheStart": "DynamicsNotCarried",
    "FramesNotCarried": "DynamicsNotCarried",
    "CustomersFirstMonth": "FirstStep",
    "SignalsLastRow": "LastRowForLastStep",
    "MeanToTheLongest": "MeanWithPadding",
    "ReadsTheWrongState": "LowerStateForBoth",
    "SpeechByAView": "MeanWithPadding",
    "LayersExchanged": "TopLayersStateForBoth",
}
"""Mistakes that the default run leaves out, each with the model there that has one of the same kind."""
DEEP = pytest.mark.deep("tests/power/test_wrong_models.py::test_the_mistake_in_the_wiring_of_a_model_is_named")
FOLLOWS = {"LowerLayersCellState": ("given-state",), "SortedOutputs": ("batches",)}


def _model(name: str) -> UnderstoodModel:
    modules = (
        models,
        models_with_cells,
        models_with_convolutions,
        models_with_lengths,
        models_with_own_layers,
        models_with_several_inputs,
        models_with_states,
    )
    module = next(module for module in modules if name in vars(module))
    return understand(load_target(f"{module.__file__}:{name}"))


RIGHT_OF_THE_KIND = {
    "Captions": "Translator",
    "Continuation": "ContinuedFromBothWays",
    "Continued": "ContinuedFromBothWays",
    "Customers": "Classifier",
    "Dynamics": "AroundACell",
    "Frames": "AroundACell",
    "ListsOfBothWays": "OwnLayersOfBothWays",
    "Projected": "Layers",
    "Speech": "Packed",
    "TimeFirstTagger": "Tagger",
}
"""Right models that the default run leaves out, each with one of the same kind there."""
RIGHT_DEEP = pytest.mark.deep(
    "tests/power/test_wrong_models.py::test_nothing_about_the_wiring_of_a_right_model_is_refuted"
)


@pytest.mark.parametrize("name", [pytest.param(n, marks=RIGHT_DEEP if n in RIGHT_OF_THE_KIND else ()) for n in RIGHT])
def test_nothing_about_the_wiring_of_a_right_model_is_refuted(name: str) -> None:
    statements = wiring_statements(_model(name))
    assert not [s for s in statements if s.outcome is not Outcome.AGREES], statements
    assert any(statement.check == "rows" for statement in statements)


def test_convolutions_that_reach_into_padding_are_told_and_refute_nothing() -> None:
    statements = wiring_statements(_model("UnmaskedSpeech"))
    (told,) = (s.sentence for s in statements if s.check == "lengths")
    assert told.endswith("convolutions reach into its padding, which is not masked")
    assert not [s for s in statements if s.outcome is Outcome.REFUTED]


def test_what_is_drawn_in_front_of_a_rectifier_is_no_dropout() -> None:
    statements = wiring_statements(_model("SampledDynamics"))
    assert [s.sentence for s in statements if s.check == "evaluation"] == ["in evaluation it draws random numbers"]
    assert not [s for s in statements if s.outcome is Outcome.REFUTED]


def test_a_mistake_that_the_default_run_leaves_out_has_one_of_its_kind_there() -> None:
    assert set(SAME_KIND) <= set(WRONG)
    assert set(SAME_KIND.values()) <= set(WRONG) - set(SAME_KIND)
    assert set(RIGHT_OF_THE_KIND) <= set(RIGHT)
    assert set(RIGHT_OF_THE_KIND.values()) <= set(RIGHT) - set(RIGHT_OF_THE_KIND)


@pytest.mark.parametrize("name", [pytest.param(name, marks=DEEP if name in SAME_KIND else ()) for name in WRONG])
def test_the_mistake_in_the_wiring_of_a_model_is_named(name: str) -> None:
    check, words = WRONG[name]
    statements = wiring_statements(_model(name))
    refuted = [statement for statement in statements if statement.outcome is Outcome.REFUTED]
    # What is left out by the mistake may be named as well: the second layer's own cell state has no influence.
    assert {statement.check for statement in refuted} <= {check, *FOLLOWS.get(name, ())}, statements
    assert any(statement.check == check and words in statement.sentence for statement in refuted), statements


def test_a_model_agrees_with_its_parts_and_its_wiring_listed() -> None:
    validation = collect_validation("model", run_validation(load_target(f"{FILE}:Tagger"), QUICK))
    assert validation.outcome == "agrees"
    assert validation.model is not None
    (part,) = validation.model.parts
    assert (part.name, part.title) == ("rnn", "nn.LSTM, 6 inputs, 8 units, 2 layers")
    assert "rnn reads the output of embedding" in validation.model.wiring
    assert "head reads every step of rnn" in validation.model.wiring
    assert "rnn: nn.LSTM, 6 inputs, 8 units, 2 layers: agrees" in str(validation)


def test_a_wrong_cell_inside_a_model_is_refuted_by_itself() -> None:
    validation = collect_validation("model", run_validation(load_target(f"{FILE}:AroundAWrongCell"), QUICK))
    assert validation.outcome == "refuted"
    assert validation.diagnosis is not None
    assert "the recurrent weights of the state are subtracted" in validation.diagnosis.difference
    wrong = [record for record in validation.checks if record.outcome is Outcome.REFUTED]
    assert "gate (Gate" in next(record.reason for record in wrong if record.check == "model.part")


def test_layers_and_directions_of_torch_are_judged_with_their_wiring() -> None:
    target = load_target("torch.nn:GRU", {"num_layers": 3, "bidirectional": True})
    validation = collect_validation("torch.nn:GRU", run_validation(target, QUICK))
    assert validation.outcome == "agrees"
    wired = next(record for record in validation.checks if record.check == "wiring.torch-layers")
    assert "layer by layer and direction by direction" in wired.reason


def test_one_output_of_several_may_be_cut_off_from_its_layer_on_purpose() -> None:
    statements = wiring_statements(_model("TwoAnswers"))
    assert not [statement for statement in statements if statement.outcome is Outcome.REFUTED]
    assert any("no gradient reaches rnn through output 1" in statement.sentence for statement in statements)


def test_one_state_that_goes_through_two_cells_is_not_refuted() -> None:
    statements = wiring_statements(_model("OneStateThroughBoth"))
    assert not [statement for statement in statements if statement.outcome is Outcome.REFUTED]
