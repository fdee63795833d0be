"""Judge the recurrent parts of a model as cells, each kind of torch's once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError
from rnn_harness.options import OptionTable
from rnn_harness.records.events import CounterexampleFound, RecordMade, TargetIdentified, ValidationEvent
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import PART_CHECK, PartRecord, outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.models.recurrent_part import RecurrentPart
from rnn_harness.validation.models.understand import UnderstoodModel
from rnn_harness.validation.request import Listener, ValidationRequest

if TYPE_CHECKING:
    from torch import nn

JudgeTarget = Callable[[Target, ValidationRequest, Listener], Iterator[ValidationEvent]]
"""Judges one target as a cell."""


@dataclass(frozen=True)
class JudgedPart:
    """A cell that stands for one or several parts of a model.

    Attributes:
        target: The cell.
        parts: The parts that it stands for.
    """

    target: Target
    parts: tuple[RecurrentPart, ...]


@dataclass
class _Answer:
    """What is heard of one cell while it is judged.

    Attributes:
        records: Every record so far.
        sentence: What it was identified as.
        error: Why it could not be judged at all.
    """

    records: list[Record] = field(default_factory=list)
    sentence: str = ""
    error: str = ""


class PartJudge:
    """Judges the parts of a model, one after the other.

    Attributes:
        model: The model whose recurrent parts are judged.
        request: What is asked for, of a part.
        listener: Who follows the progress.
        judged: The parts that were judged.
    """

    def __init__(self, model: UnderstoodModel, request: ValidationRequest, listener: Listener) -> None:
        self.model, self.listener = model, listener
        self.request = replace(request, map=None, weights=None, expected=())
        self.judged: list[PartRecord] = []

    def events(self, judge_target: JudgeTarget) -> Iterator[ValidationEvent]:
        """Yield the events of every part, and a record of its verdict after them.

        Args:
            judge_target: Judges one target as a cell.
        """
        for cell in judged_parts(self.model):
            answer = _Answer()
            yield from self._events_of(cell, judge_target, answer)
            verdict = outcome_of(answer.records)
            for part in cell.parts:
                self.judged.append(PartRecord(name=part.shown_name, title=part.title, judged_as=cell.target.name))
                yield RecordMade(self._record(part, verdict, answer))
        if not self.judged:
            error = "no part of it is known to carry a state"
            yield RecordMade(self._record(RecurrentPart("", (), "", "", True, 0, 0), "", _Answer(error=error)))

    def _events_of(self, cell: JudgedPart, judge_target: JudgeTarget, answer: _Answer) -> Iterator[ValidationEvent]:
        """Yield the events of one cell but what it is identified as, and what only the whole model can be run for."""
        dtypes = tuple(dtype for dtype in self.request.dtypes if dtype in cell.target.capabilities.dtypes)
        request = replace(self.request, dtypes=dtypes or cell.target.capabilities.dtypes)
        try:
            for event in judge_target(cell.target, request, self.listener):
                if isinstance(event, TargetIdentified):
                    answer.sentence = event.identification.sentence
                elif isinstance(event, RecordMade):
                    answer.records.append(event.record)
                    yield event
                elif not isinstance(event, CounterexampleFound):
                    yield event
        except UsageError as error:
            answer.error = str(error)

    def _record(self, part: RecurrentPart, verdict: str, answer: _Answer) -> Record:
        """The record of a part's verdict."""
        outcomes = {"agrees": Outcome.AGREES, "refuted": Outcome.REFUTED}
        dtypes = self.request.dtypes
        reasons = {
            "agrees": f"{part.shown_name} ({part.title}) is right: {answer.sentence}",
            "refuted": f"{part.shown_name} ({part.title}) is wrong by itself",
        }
        unknown = answer.error or "it equals no cell that is known"
        name = f"{part.shown_name} ({part.title})" if part.title else "the model"
        return Record(
            entry=part.shown_name,
            spec="unknown",
            check=PART_CHECK,
            witness="kernel",
            outcome=outcomes.get(verdict, Outcome.NOT_RUN),
            reason=reasons.get(verdict, f"{name}: {unknown}"),
            examples=1,
            seed=self.request.seed,
            environment=versions(),
            kernel=self.model.target.name,
            dtype=dtypes[0] if len(dtypes) == 1 else "",
        )


def judged_parts(model: UnderstoodModel) -> Iterator[JudgedPart]:
    """Yield a cell for every part of the user's, and one for all of torch's that differ in sizes and wiring alone.

    Args:
        model: The model and its recurrent parts, with its own parameters.
    """
    for user_part in model.user_parts:
        yield JudgedPart(user_part.target, (user_part.part,))
    groups: dict[tuple[object, ...], list[RecurrentPart]] = {}
    for part in model.parts:
        is_itself = not part.name and isinstance(model.target.make_module, _SingleLayer)
        if part.family and not is_itself:  # a layer that cannot be driven has no part that can
            module = model.module.get_submodule(part.name)
            key = (part.module_class, _has_bias(module), vars(module).get("nonlinearity"), part.projection_size > 0)
            groups.setdefault(key, []).append(part)
    for parts in groups.values():
        module = model.module.get_submodule(parts[0].name)
        name = f"{model.target.name}.{parts[0].shown_name}"
        if parts[0].projection_size:
            from rnn_harness.validation.models.projected_step import projected_target

            yield JudgedPart(projected_target(name, _has_bias(module)), tuple(parts))
        else:
            yield JudgedPart(Target(name, _SingleLayer(module)), tuple(parts))


def _has_bias(module: nn.Module) -> bool:
    """Whether one of torch's recurrent modules has biases."""
    return bool(vars(module).get("bias", True))


class _SingleLayer:
    """Makes one layer, in one direction, of the class and the options of one of torch's modules."""

    def __init__(self, module: nn.Module) -> None:

        torch_classes = (base for base in type(module).__mro__ if base.__module__ == "torch.nn.modules.rnn")
        self.torch_class: type[nn.Module] = next(torch_classes)
        self.options: OptionTable = {"bias": _has_bias(module)}
        if nonlinearity := vars(module).get("nonlinearity"):
            self.options["nonlinearity"] = nonlinearity

    def __call__(self, n: int, d: int) -> nn.Module:
        return self.torch_class(n, d, **self.options)
