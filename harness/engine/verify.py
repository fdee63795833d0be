"""The main job: decide every entry of the specs, by every witness that can speak about it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rnn_harness.checks.check import EntryCheck, Finding
from rnn_harness.engine.select import SelectedSpec, Selection
from rnn_harness.errors import HarnessError, NotRun
from rnn_harness.records.batches import KnownRecords, stamped
from rnn_harness.records.dependencies import digest_of
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.specs import Equivalence, Spec, library
from rnn_harness.subjects.subject import LAYERS


@dataclass(frozen=True)
class PendingRecord:
    """A record that can be made, and is known by its key before it is.

    Attributes:
        blank: the record as long as it is not run.
        decide: gives the finding; raises NotRun with the reason.
        examples: number of cases that count, where it is run.
    """

    blank: Record
    decide: Callable[[], Finding]
    examples: int = 1

    @classmethod
    def of(cls, entry: str, spec: str, check: EntryCheck, seed: int, examples: int = 1) -> PendingRecord:
        """Return what will be recorded of a check.

        Args:
            entry: id of what the check is about.
            spec: id of the spec in which it stands.
            check: the check.
            seed: what numbers are drawn from.
            examples: number of cases that count, where it is run.
        """
        blank = Record(
            entry=entry,
            spec=spec,
            check=check.name,
            witness=check.witness,
            outcome=Outcome.NOT_RUN,
            seed=seed,
            environment=versions(),
        )
        return cls(blank, check.decide, examples)

    def make(self) -> Record:
        """Decide, and record it."""
        start = time.perf_counter()
        try:
            finding = self.decide()
        except NotRun as reason:
            return self.blank.model_copy(update={"reason": str(reason), "seconds": _since(start)})
        except Exception as error:  # the next entry is decided all the same
            failure = HarnessError.of(error)
            update = {"reason": str(failure), "harness_error": failure.traceback_text, "seconds": _since(start)}
            return self.blank.model_copy(update=update)
        update = {
            "outcome": Outcome.AGREES if finding.agrees else Outcome.REFUTED,
            "reason": finding.detail,
            "error_over_bound": finding.error_over_bound,
            "worst_error": finding.error,
            "bound": finding.bound,
            "bits": finding.bits,
            "examples": self.examples,
            "seconds": _since(start),
        }
        return self.blank.model_copy(update=update)


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 4)


def verify(
    selection: Selection,
    seed: int = 0,
    examples: int = 20,
    known: KnownRecords | None = None,
    on_start: Callable[[str], None] = lambda _: None,
) -> Iterator[Record]:
    """Decide a selection.

    Args:
        selection: what to decide.
        seed: what cases and numbers are drawn from.
        examples: number of cases drawn for each cell, after the fixed ones.
        known: records of an earlier run; those that depend on nothing that has changed are not made again.
        on_start: called with the title of every spec before it is decided.

    Yields:
        Records as they are made, the known ones among them.
    """
    return _Verification(selection, seed, examples, known or KnownRecords(), on_start).records()


@dataclass(frozen=True)
class _Verification:
    """A selection, and everything that its records depend on."""

    selection: Selection
    seed: int
    examples: int
    known: KnownRecords
    on_start: Callable[[str], None]

    @functools.cached_property
    def _specs_of_the_user(self) -> list[str]:
        """The contents of the specs that are not shipped; the shipped ones are part of the package's digest."""
        shipped = {id(spec) for spec in library().specs}
        return [spec.model.model_dump_json() for spec in self.selection.library.specs if id(spec) not in shipped]

    def _known_or_made(self, batch: Iterable[str], make: Callable[[], Iterable[Record]]) -> Iterator[Record]:
        """Yield the records of one batch: those of the earlier run, or new ones."""
        digest = digest_of("verify", *batch, self.seed, self.examples, self._specs_of_the_user)
        records = self.known.batch(digest)
        if records:
            yield from records
            return
        yield from stamped(
            (record.model_copy(update={"requested_examples": self.examples}) for record in make()), digest
        )

    def _decided(self, pending: PendingRecord) -> Iterator[Record]:
        """Yield the one record of a check of an entry."""
        blank = pending.blank
        yield from self._known_or_made((blank.spec, blank.entry, blank.check, blank.witness), lambda: [pending.make()])

    def records(self) -> Iterator[Record]:
        """Decide each spec, then the pairs of specs, then the facts."""
        from rnn_harness.checks.entry_checks import entry_checks

        for selected in self.selection.specs:
            spec = selected.spec
            self.on_start(f"{spec.id}: {spec.title}")
            for entry in selected.entries:
                for check in entry_checks(spec, entry, self.selection.library, self.seed):
                    yield from self._decided(PendingRecord.of(entry.id, spec.id, check, self.seed))
            if spec.is_cell and spec.reference is not None:
                yield from self._subject_records(selected)
        if self.selection.pairs:
            self.on_start("equivalences")
        for pair in self.selection.pairs:
            check = EntryCheck("equivalence.proof", "symbolic", functools.partial(_equivalence, pair))
            yield from self._decided(PendingRecord.of(pair.id, "equivalences", check, self.seed, examples=2))
        if self.selection.with_facts:
            from rnn_harness.checks.facts import FACTS_SPEC, facts

            self.on_start("facts")
            for fact in facts():
                check = EntryCheck(fact.name, "reference", fact.finding)
                yield from self._decided(PendingRecord.of(fact.name, FACTS_SPEC, check, self.seed))

    def _subject_records(self, selected: SelectedSpec) -> Iterator[Record]:
        """Decide the reference of a spec by every check; of a part of the spec, by its equations alone."""
        spec = selected.spec
        entries = () if selected.is_complete else tuple(entry.id for entry in selected.entries)
        yield from self._known_or_made(
            ("reference", spec.id, *entries), lambda: _records_of_cases(selected, self.seed, self.examples)
        )
        if selected.is_complete:
            sizes = _proved_sizes(spec)
            check = EntryCheck("backward.proof", "symbolic", functools.partial(_proof, spec, sizes))
            yield from self._decided(PendingRecord.of(spec.id, spec.id, check, self.seed, len(sizes)))


def _records_of_cases(selected: SelectedSpec, seed: int, examples: int) -> list[Record]:
    """Try the reference of a spec on the fixed cases and on drawn ones."""
    from rnn_harness.checks import all_checks
    from rnn_harness.engine.runner import Runner, RunPlan
    from rnn_harness.subjects.subject import Subject

    spec = selected.spec
    checks = tuple(check for check in all_checks() if selected.is_complete or check.name == "forward.equation")
    runner = Runner(Subject.of(spec), RunPlan(checks))
    runner.run(seed, examples)
    entries = {entry.id for entry in selected.entries} | {spec.id}
    if selected.is_complete:
        entries |= set(spec.model.uses)
    return [record for record in runner.results().records(seed) if record.entry in entries]


def _equivalence(pair: Equivalence) -> Finding:
    """Prove that two specs are equal, or that they are not, as is expected of them."""
    from rnn_harness.derivatives.equivalence import prove_equivalence

    proof = prove_equivalence(pair)
    return Finding(pair.id, proof.is_as_expected, f"expected {pair.expected}: {proof.detail}")


def _proved_sizes(spec: Spec) -> tuple[tuple[int, int], ...]:
    """The (size of every vector, number of steps) at which the derived backward is proved.

    A stack of gated cells is proved over one step only: its polynomials of two steps take half a minute.
    """
    gated_stack = spec.model.layers and len(spec.program().assignments) > LAYERS
    return ((1, 1), (2, 1)) if gated_stack else ((1, 1), (2, 1), (1, 2))


def _proof(spec: Spec, sizes: tuple[tuple[int, int], ...]) -> Finding:
    """Prove the derived backward against SymPy's Jacobian."""
    from rnn_harness.derivatives.proof import prove_backward

    proofs = [prove_backward(spec.program(), size, steps) for size, steps in sizes]
    failed = next((proof.failed for proof in proofs if not proof.is_proved), "")
    count = sum(proof.identities for proof in proofs)
    two_steps = ", and over two steps" if any(steps == 2 for _, steps in sizes) else ""
    return Finding(spec.id, not failed, failed or f"{count} identities proved at sizes 1 and 2{two_steps}")
