"""A worker's "agrees" counts only where numbers that it returned lie in the bounds of the process that waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from rnn_harness.evaluation.vacuity import vacuity_reason
from rnn_harness.kernels import Setting, choose_kernels
from rnn_harness.kernels.judge import blank_record, number_cases
from rnn_harness.records.events import RecordMade
from rnn_harness.records.record import Record
from rnn_harness.records.validation import NUMBERS_CHECK, outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.messages import LENGTH_BYTES, MessageTypes
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.specs import literature
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.judging import validate
from rnn_harness.validation.judging.candidate_judge import CandidateJudge
from rnn_harness.validation.loading.target import load_target
from rnn_harness.validation.reevaluation import reevaluate
from rnn_harness.validation.request import Listener, ValidationRequest
from rnn_harness.validation.returned_numbers import (
    MOST_JUDGED_NUMBERS,
    GeneratedFrom,
    NumbersReturned,
    ReturnedCase,
    returned_case,
    returned_numbers,
)
from rnn_harness.validation.trusted_spec import Contradiction, trusted_spec
from tests.helpers import HELPERS

REQUEST = ValidationRequest("cells.py:Cell", spec="auto", seed=3, examples=3)
SETTING = Setting("float64", "cpu")
KERNEL = choose_kernels(("nn.LSTM",))[0]
Change = Callable[[NumbersReturned], NumbersReturned]


@pytest.fixture(scope="module")
def numbers() -> NumbersReturned:
    """What torch's LSTM gives."""
    judged = {}
    for case in number_cases(KERNEL.spec, SETTING.dtype, {}, REQUEST.seed, REQUEST.examples):
        evaluation = KERNEL.evaluation(SETTING, case)
        if vacuity_reason(evaluation) is None:
            judged[case] = returned_case(evaluation, MOST_JUDGED_NUMBERS)
    return returned_numbers(KERNEL, SETTING, REQUEST.seed, None, judged)


def _agreeing(check: str, **fields: object) -> Record:
    blank = blank_record(KERNEL, SETTING, check, REQUEST.seed)
    return blank.model_copy(update={"outcome": Outcome.AGREES, "examples": 9, **fields})


RECORDS = [_agreeing("forward.sequence"), _agreeing("backward.bound")]


def _first_case(numbers: NumbersReturned, change: Callable[[ReturnedCase], ReturnedCase]) -> NumbersReturned:
    return replace(numbers, cases=(change(numbers.cases[0]), *numbers.cases[1:]))


def _judged_case(place: int, change: Callable[[ReturnedCase], ReturnedCase]) -> Change:
    """Change what came back of a case on which the candidate was judged."""

    def changed(numbers: NumbersReturned) -> NumbersReturned:
        judged = list(numbers.judged)
        judged[place] = replace(judged[place], numbers=change(judged[place].numbers))
        return replace(numbers, judged=tuple(judged))

    return changed


def _zeros(numbers: NumbersReturned) -> NumbersReturned:
    def of(case: ReturnedCase) -> ReturnedCase:
        return replace(case, outputs=PlainArray.of(0 * case.outputs.array("float64")))

    return _first_case(numbers, of)


def _off_by_little(numbers: NumbersReturned) -> NumbersReturned:
    """The gradient of one bias, off by 2^-40."""

    def of(case: ReturnedCase) -> ReturnedCase:
        name = next(name for name in case.gradients if name.startswith("parameters.b"))
        moved = case.gradients[name].array("float64") * (1 + 2.0**-40)
        return replace(case, gradients={**case.gradients, name: PlainArray.of(moved)})

    return _first_case(numbers, of)


def _nan(numbers: NumbersReturned) -> NumbersReturned:
    def of(case: ReturnedCase) -> ReturnedCase:
        return replace(case, outputs=PlainArray.of(np.nan * case.outputs.array("float64")))

    return _first_case(numbers, of)


def _wrong_final_state(numbers: NumbersReturned) -> NumbersReturned:
    return _first_case(numbers, lambda case: replace(case, finals={**case.finals, "c": case.finals["h"]}))


def _without_a_final_state(numbers: NumbersReturned) -> NumbersReturned:
    return _first_case(numbers, lambda case: replace(case, finals={"h": case.finals["h"]}))


def _another_equation(numbers: NumbersReturned) -> NumbersReturned:
    *others, last = numbers.spec.equations
    changed = last.model_copy(update={"printed": r"\mathbf{h}_{(t)} = \mathbf{c}_{(t)}"})
    return replace(numbers, spec=numbers.spec.model_copy(update={"equations": (*others, changed)}))


def _with_constant(value: str) -> Change:
    """Claim a cell of the literature with a constant of its own."""
    spec = next(spec for spec in literature() if spec.id == "esn.leaky")
    claimed = spec.model.model_copy(update={"constants": {"alpha": value}})
    return lambda numbers: replace(numbers, spec=claimed, used=spec.used, absent=("states.h",), alternatives=())


CHANGES: dict[str, tuple[Change, str]] = {
    "there are no steps": (lambda numbers: replace(numbers, sizes={"T": 0}), "for the sizes {'T': 0} alone"),
    "there are no rows": (lambda numbers: replace(numbers, sizes={"B": 0}), "for the sizes {'B': 0} alone"),
    "a matrix is absent": (lambda numbers: replace(numbers, absent=("W_xi",)), "the spec cannot be without W_xi"),
    "what is no parameter is absent": (lambda numbers: replace(numbers, absent=("states.q",)), "be without states.q"),
    "outputs are zero": (_zeros, "on numbers that came back the output"),
    "a gradient is off by a little": (_off_by_little, "on numbers that came back the gradient of parameters.b"),
    "outputs are no numbers": (_nan, "on numbers that came back the output"),
    "a final state is another": (_wrong_final_state, "the final state c"),
    "a final state is missing": (_without_a_final_state, "the final state c has shape"),
    "an equation is another": (_another_equation, "which is not what this process knows by that name"),
    "gradients are missing": (
        lambda numbers: _first_case(numbers, lambda case: replace(case, gradients={})),
        "no gradients came back",
    ),
    "a gradient is missing": (
        lambda numbers: _first_case(
            numbers, lambda case: replace(case, gradients={"inputs": case.gradients["inputs"]})
        ),
        "the gradient of",
    ),
    "a drawn case on which it was judged is missing": (
        lambda numbers: replace(numbers, judged=numbers.judged[:-1]),
        'no numbers came back of the case {"spec":"lstm.column"',
    ),
    "the first case on which it was judged is missing": (
        lambda numbers: replace(numbers, judged=numbers.judged[1:]),
        'no numbers came back of the case {"spec":"lstm.column"',
    ),
    "no case on which it was judged came back": (
        lambda numbers: replace(numbers, judged=()),
        'no numbers came back of the case {"spec":"lstm.column"',
    ),
    "outputs are wrong where it was judged alone": (
        _judged_case(4, lambda case: replace(case, outputs=PlainArray.of(0 * case.outputs.array()))),
        "on numbers that came back the output",
    ),
    "gradients are wrong where it was judged alone": (
        _judged_case(
            -1,
            lambda case: replace(
                case, gradients={name: PlainArray.of(1.01 * row.array()) for name, row in case.gradients.items()}
            ),
        ),
        "on numbers that came back the gradient of",
    ),
    "gradients are missing where it was judged alone": (
        _judged_case(2, lambda case: replace(case, gradients={})),
        "no gradients came back",
    ),
    "a case is missing": (lambda numbers: replace(numbers, cases=numbers.cases[:1]), "1 cases came back of 2"),
    "the numbers are text": (
        lambda numbers: _first_case(numbers, lambda case: replace(case, outputs=PlainArray((3, 2, 4), "?"))),
        "what came back is no numbers of it",
    ),
    "the shape is too large": (
        lambda numbers: _first_case(
            numbers, lambda case: replace(case, outputs=replace(case.outputs, shape=(10**9, 10**9)))
        ),
        "what came back is no numbers of it",
    ),
    "they are of another spec": (
        lambda numbers: replace(numbers, spec=literature()[0].model, used=literature()[0].used),
        "they are of lstm.column, and the numbers of",
    ),
}


@pytest.mark.parametrize(
    ("value", "reason"),
    [("1e300", "alpha = 1e300 is no constant of a cell"), ("0", "give nothing but zeros")],
    ids=["every bound is useless", "every output is zero"],
)
def test_no_constant_makes_wrong_numbers_right(value: str, reason: str, numbers: NumbersReturned) -> None:
    records = [record.model_copy(update={"spec": "esn.leaky"}) for record in RECORDS]
    (record,) = reevaluate(records, [_with_constant(value)(numbers)], REQUEST)
    assert record.outcome is Outcome.NOT_RUN
    assert reason in record.reason


def test_a_format_that_is_none_decides_nothing(numbers: NumbersReturned) -> None:
    records = [record.model_copy(update={"dtype": "float8"}) for record in RECORDS]
    (record,) = reevaluate(records, [replace(numbers, dtype="float8")], REQUEST)
    assert "'float8' is no format" in record.reason
    assert not record.harness_error


def test_more_parameters_than_fit_into_memory_are_not_drawn(numbers: NumbersReturned) -> None:
    (record,) = reevaluate(RECORDS, [replace(numbers, sizes={"n": 10**6, "d": 10**6})], REQUEST)
    assert record.outcome is Outcome.NOT_RUN
    assert "it has too many parameters for its numbers to be evaluated here" in record.reason


@pytest.mark.parametrize("check", ["model.part", "wiring.rows"])
def test_a_model_agrees_by_numbers_of_its_parts_alone(check: str) -> None:
    records = [_agreeing(check)]
    assert outcome_of(records) == "agrees"
    made = reevaluate(records, [], REQUEST)
    assert f"{check} agrees, but no numbers of a recurrent part came back" in made[0].reason
    assert outcome_of([*records, *made]) == "undecided"


def test_right_numbers_agree(numbers: NumbersReturned) -> None:
    (record,) = reevaluate(RECORDS, [numbers], REQUEST)
    assert (record.check, record.outcome, record.dtype) == (NUMBERS_CHECK, Outcome.AGREES, "float64")
    assert 0 < (record.error_over_bound or 0) < 1
    assert record.examples == 2 + len(numbers.judged)
    assert f"those of {len(numbers.judged)} on which it was judged" in record.reason
    assert outcome_of([*RECORDS, record]) == "agrees"


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES)
def test_nothing_is_decided_where(change: Change, reason: str, numbers: NumbersReturned) -> None:
    (record,) = reevaluate(RECORDS, [change(numbers)], REQUEST)
    assert record.outcome is Outcome.NOT_RUN
    assert record.reason.startswith("its process said that 2 checks agree, but ")
    assert reason in record.reason
    assert not record.harness_error
    assert outcome_of([*RECORDS, record]) == "undecided"


@pytest.mark.parametrize("fields", [{}, {"dtype": "", "device": ""}, {"kernel": "another"}], ids=str)
def test_nothing_is_decided_where_no_numbers_came_back(fields: dict[str, str]) -> None:
    records = [_agreeing("forward.sequence", **fields)]
    (record,) = reevaluate(records, [], REQUEST)
    assert "no numbers came back with them" in record.reason
    assert outcome_of([*records, record]) == "undecided"


def test_of_a_forward_that_was_not_run_the_reason_is_told_and_nobody_is_accused() -> None:
    not_run = _agreeing("precision.format").model_copy(update={"outcome": Outcome.NOT_RUN, "reason": "it hides y"})
    records = [_agreeing("kernel.graphs"), not_run]
    (record,) = reevaluate(records, [], REQUEST)
    assert record.reason == "nothing that it computes was decided: it hides y"
    assert outcome_of([*records, record]) == "undecided"


def test_numbers_of_another_spec_than_the_one_asked_for_are_refused(numbers: NumbersReturned) -> None:
    (record,) = reevaluate(RECORDS, [numbers], replace(REQUEST, spec="gru.keep.column"))
    assert "lstm.column, and gru.keep.column was asked for" in record.reason


def test_where_a_process_ended_its_own_record_says_why() -> None:
    ended = _agreeing("process.ended").model_copy(update={"outcome": Outcome.NOT_RUN})
    assert reevaluate([*RECORDS, ended], [], REQUEST) == []
    claimed = ended.model_copy(update={"outcome": Outcome.AGREES})
    assert outcome_of([*RECORDS, claimed, *reevaluate([*RECORDS, claimed], [], REQUEST)]) == "undecided"


def test_gradients_that_were_expected_to_be_wrong_are_left_out(numbers: NumbersReturned) -> None:
    refuted = RECORDS[1].model_copy(update={"outcome": Outcome.REFUTED, "expected": "known"})
    (record,) = reevaluate([RECORDS[0], refuted], [_off_by_little(numbers)], REQUEST)
    assert record.outcome is Outcome.AGREES


def test_a_generated_spec_is_generated_here_again(numbers: NumbersReturned) -> None:
    from rnn_harness.validation.judging.generated_spec import generate_spec

    model = CellModel("gru", candidate="relu")
    names = tuple(sorted({"W_xr", "W_xz", "W_xg", "W_hr", "W_hz", "W_hg", "b_r", "b_z", "b_g"}))
    spec = generate_spec(model, frozenset(names))
    generated = replace(numbers, spec=spec.model, used=spec.used, generated=GeneratedFrom(model, names))
    assert trusted_spec(generated, REQUEST).model == spec.model
    with pytest.raises(Contradiction, match="not what this process knows"):
        trusted_spec(replace(generated, generated=GeneratedFrom(CellModel("gru"), names)), REQUEST)
    with pytest.raises(Contradiction, match="is none"):
        trusted_spec(replace(generated, generated=GeneratedFrom(CellModel("gru", candidate="sin"), names)), REQUEST)


def test_numbers_are_plain_data_that_comes_back_bit_by_bit(numbers: NumbersReturned) -> None:
    types = MessageTypes(NumbersReturned)
    assert types.decode(types.encode(numbers)[LENGTH_BYTES:]) == numbers
    values = np.array([[1e-310, -0.0, np.inf], [np.pi, np.nan, 2.0**1023]])
    assert PlainArray.of(values).array("float64").tobytes() == values.tobytes()


RIGHT_CELLS = {
    "a generated spec": "variants.py:Shifted",
    "a constant beside its spec's, and one below a root": "normalised_cells.py:NormalisedGRU",
    "a slope with a constant of its own": "variants.py:HardGRU",
    "gradients that are means over rows": "alarming_cells.py:MeanGradients",
    "float32 inside": "alarming_cells.py:FloatInside",
    "a state that is kept": "alarming_cells.py:Stream",
    "another form of an equation": "equal_forms.py:FromStateGRU",
}


@pytest.mark.parametrize("name", RIGHT_CELLS.values(), ids=RIGHT_CELLS)
def test_the_numbers_of_right_cells_agree_here_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker returns of a candidate is enough to judge it by the same bounds; its own checks are left out."""

    def agreeing(judge: CandidateJudge) -> Iterator[Record]:
        for setting in judge.kernel.settings:
            sizes = judge.kernel.fixed_sizes or {}
            for case in number_cases(judge.kernel.spec, setting.dtype, sizes, REQUEST.seed, REQUEST.examples):
                evaluation = judge.kernel.evaluation(setting, case)
                if vacuity_reason(evaluation) is None:
                    judge.keep_numbers(evaluation)
            blank = blank_record(judge.kernel, setting, "precision.format", REQUEST.seed)
            yield blank.model_copy(update={"outcome": Outcome.AGREES, "examples": 1})

    monkeypatch.setattr(CandidateJudge, "records", agreeing)
    monkeypatch.setattr(validate, "judge_identified", lambda *_: ())
    returned: list[NumbersReturned] = []
    events = validate.judge_target(load_target(f"{HELPERS / name}"), REQUEST, Listener(on_numbers=returned.append))
    records = [event.record for event in events if isinstance(event, RecordMade)]
    made = reevaluate(records, returned, REQUEST)
    assert {record.dtype: (record.outcome, record.reason[:7]) for record in made} == dict.fromkeys(
        ("float64", "float32"), (Outcome.AGREES, "outputs")
    )
