"""The main job: decide every entry of the specs, by every witness that can speak about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rnn_harness.engine.questions import EntryQuestion, FactQuestion, PairQuestion, ProofQuestion
from rnn_harness.engine.record_batch import AnswerBatch, CasesBatch, RecordBatch, assignment_count
from rnn_harness.engine.run_batches import run_batches
from rnn_harness.engine.select import SelectedSpec, Selection
from rnn_harness.records.batches import KnownRecords
from rnn_harness.records.dependencies import digest_of
from rnn_harness.records.record import Record
from rnn_harness.runtime.worker_pool import WorkerPool
from rnn_harness.specs import Spec, library


def verify(
    selection: Selection,
    seed: int = 0,
    examples: int = 20,
    known: KnownRecords | None = None,
    on_start: Callable[[str], None] = lambda _: None,
    pool: WorkerPool | None = None,
) -> Iterator[Record]:
    """Decide a selection.

    Args:
        selection: what to decide.
        seed: what cases and numbers are drawn from.
        examples: number of cases drawn for each cell, after the fixed ones.
        known: records of an earlier run; those that depend on nothing that has changed are not made again.
        on_start: called with the title of every spec before it is decided; where several processes decide, when the
            first part of it is done.
        pool: where the work is done; in this process where None.

    Yields:
        Records, in an order that does not depend on the pool, the known ones among them.
    """
    specs_of_user = _specs_of_user(selection)
    contents = [spec.model.model_dump_json() for spec in specs_of_user]

    def digest(batch: RecordBatch[Any]) -> str:
        return digest_of("verify", *batch.depends_on, seed, examples, contents)

    batches = list(_planned_batches(selection, specs_of_user, seed, examples))
    yield from run_batches(batches, digest, known or KnownRecords(), on_start, pool or WorkerPool(), examples)


def _specs_of_user(selection: Selection) -> tuple[Spec, ...]:
    """Return the specs that are not shipped; the shipped ones are part of the package's digest."""
    shipped = {id(spec) for spec in library().specs}
    return tuple(spec for spec in selection.library.specs if id(spec) not in shipped)


def _planned_batches(
    selection: Selection, specs_of_user: tuple[Spec, ...], seed: int, examples: int
) -> Iterator[RecordBatch[Any]]:
    """Yield what is decided: each spec, then the pairs of specs, then the facts."""
    for selected in selection.specs:
        yield from _batches_of_spec(selected, selection, specs_of_user, seed, examples)
    for pair in selection.pairs:
        yield AnswerBatch.of("equivalences", PairQuestion(pair, seed))
    if selection.with_facts:
        from rnn_harness.checks.facts import facts

        for fact in facts():
            yield AnswerBatch.of("facts", FactQuestion(fact.name, seed), libraries=fact.library_versions)


def _batches_of_spec(
    selected: SelectedSpec, selection: Selection, specs_of_user: tuple[Spec, ...], seed: int, examples: int
) -> Iterator[RecordBatch[Any]]:
    """Yield the checks of every entry, then the reference by every check; of a whole spec its proof, too."""
    from rnn_harness.checks.entry_checks import entry_checks

    spec = selected.spec
    title = f"{spec.id}: {spec.title}"
    for entry in selected.entries:
        for number, _ in enumerate(entry_checks(spec, entry, selection.library, seed)):
            yield AnswerBatch.of(title, EntryQuestion(specs_of_user, spec.id, entry.id, number, seed))
    if spec.is_cell and spec.reference is not None:
        yield CasesBatch(title, selected, seed, examples)
        if selected.is_complete:
            yield AnswerBatch.of(title, ProofQuestion(spec, seed), weight_of_proof=assignment_count(selected))
