"""The main job: decide every entry of the specs, by every witness that can speak about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rnn_harness.checks import Check
from rnn_harness.checks.check import Finding, worst_finding
from rnn_harness.errors import UsageError
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome, Witness
from rnn_harness.specs import Entry, Equation, Equivalence, Library, Spec, equivalences, library
from rnn_harness.subjects.subject import LAYERS

SEEDS = 3
"""Random operands tried for one equation alone; it has no state to be generic about."""


@dataclass(frozen=True)
class Pending:
    """A record that can be made, and the key it will have."""

    key: str
    make: Callable[[], Record]


_WITNESSES: tuple[Witness, ...] = ("reference", "numeric", "symbolic", "torch")


@dataclass(frozen=True)
class Selection:
    """What to decide: specs with the entries wanted of each, and pairs of specs."""

    library: Library
    wanted: tuple[tuple[Spec, tuple[Entry, ...]], ...]
    pairs: tuple[Equivalence, ...] = ()

    @property
    def size(self) -> int:
        """How many entries."""
        return sum(len(entries) for _, entries in self.wanted)


def select(names: Iterable[str], extra: Iterable[Spec] = ()) -> Selection:
    """The entries meant by ids of entries, of specs, or of documents (``003``); all, without names.

    `extra`: specs from files, taken whole. Raises UsageError that lists the nearest ids.
    """
    shipped = library()
    known = Library((*shipped.specs, *extra))
    names = tuple(names)
    chosen: dict[str, list[Entry]] = {spec.id: list(spec.entries) for spec in extra}
    pairs = [pair for pair in equivalences() if not names and not chosen]
    for name in names:
        if not name:
            raise UsageError("'' is no equation, spec or document: leave it out to mean all of them")
        meant = [pair for pair in equivalences() if name.upper() == pair.id or name == "equivalences"]
        pairs += [pair for pair in meant if pair not in pairs]
        if meant:
            continue
        found = [
            (spec, entry)
            for spec in known.specs
            for entry in spec.entries
            if name.upper() == entry.id.upper() or name == spec.id or name == spec.model.document
        ]
        if not found:
            documents = {spec.model.document for spec in known.specs if spec.model.document}
            pairs_of = [pair.id for pair in equivalences()]
            near = known.nearest(name, (*documents, *pairs_of, "equivalences"))
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise UsageError(f"there is no equation, spec or document {name!r}{hint} (rnn-harness specs lists all)")
        for spec, entry in found:
            rows = chosen.setdefault(spec.id, [])
            if entry not in rows:
                rows.append(entry)
    if not names and not chosen:
        chosen = {spec.id: list(spec.entries) for spec in known.specs}
    return Selection(
        known, tuple((spec, tuple(chosen[spec.id])) for spec in known.specs if spec.id in chosen), tuple(pairs)
    )


def verify(
    selection: Selection,
    seed: int = 0,
    examples: int = 20,
    known: dict[str, Record] | None = None,
    on_start: Callable[[str], None] = lambda _: None,
) -> Iterator[Record]:
    """Decide a selection.

    Args:
        selection: what to decide.
        seed: what cases and numbers are drawn from.
        examples: number of cases drawn for each cell, after the fixed ones.
        known: records by key that need not be made again.
        on_start: called with the title of every spec before it is decided.

    Yields:
        Records as they are made, the known ones among them.
    """
    known = known or {}
    for record in _decided(selection, seed, examples, known, on_start):
        new = record.key not in known
        yield record.model_copy(update={"requested_examples": examples}) if new else record


def _decided(
    selection: Selection, seed: int, examples: int, known: dict[str, Record], on_start: Callable[[str], None]
) -> Iterator[Record]:
    for spec, entries in selection.wanted:
        on_start(f"{spec.id}: {spec.title}")
        for entry in entries:
            yield from _or_known(_entry_records(spec, entry, selection.library, seed), known)
        if spec.is_cell and spec.reference is not None:
            yield from _subject_records(spec, entries, seed, examples, known)
    if selection.pairs:
        on_start("equivalences")
    for pair in selection.pairs:
        yield from _or_known(iter([_pair_record(pair, seed)]), known)


def _or_known(made: Iterator[Pending], known: dict[str, Record]) -> Iterator[Record]:
    for pending in made:
        yield known[pending.key] if pending.key in known else pending.make()


def _pair_record(pair: Equivalence, seed: int) -> Pending:
    from rnn_harness.derivatives.equivalence import prove_equivalence

    blank = Record(
        entry=pair.id,
        spec="equivalences",
        check="equivalence.proof",
        witness="symbolic",
        outcome=Outcome.NOT_RUN,
        seed=seed,
        environment=versions(),
    )

    def make() -> Record:
        start = time.perf_counter()
        proof = prove_equivalence(pair)
        update = {
            "outcome": Outcome.AGREES if proof.is_as_expected else Outcome.REFUTED,
            "reason": f"expected {pair.expected}: {proof.detail}",
            "examples": 2,
            "seconds": round(time.perf_counter() - start, 4),
        }
        return blank.model_copy(update=update)

    return Pending(blank.key, make)


def _record(
    spec: Spec,
    entry: Entry,
    check: str,
    witness: Witness,
    decided: Callable[[], Finding | str],
    seed: int,
) -> Pending:
    blank = Record(
        entry=entry.id,
        spec=spec.id,
        check=check,
        witness=witness,
        outcome=Outcome.NOT_RUN,
        seed=seed,
        environment=versions(),
    )

    def make() -> Record:
        start = time.perf_counter()
        found = decided()
        seconds = round(time.perf_counter() - start, 4)
        record = blank.model_copy(update={"seconds": seconds})
        if isinstance(found, str):
            return record.model_copy(update={"reason": found})
        update = {
            "outcome": Outcome.AGREES if found.agrees else Outcome.REFUTED,
            "reason": found.detail,
            "error_over_bound": found.error_over_bound,
            "worst_error": found.error,
            "bound": found.bound,
            "bits": found.bits,
            "examples": 1,
        }
        return record.model_copy(update=update)

    return Pending(blank.key, make)


def _always(found: Finding | str) -> Callable[[], Finding | str]:
    return lambda: found


def _entry_records(spec: Spec, entry: Entry, known: Library, seed: int) -> Iterator[Pending]:
    """What can be said about an entry without a subject."""
    from rnn_harness.checks import document_examples as _documents
    from rnn_harness.checks import equation as _equations

    yield _record(spec, entry, "text.audit", "text", lambda: _equations.text(spec, entry, known.specs), seed)
    if not isinstance(entry, Equation):
        said: set[Witness] = set()
        for witness, check, found in _documents.decide(spec, entry, known, seed):
            said.add(witness)
            yield _record(spec, entry, check, witness, _always(found), seed)
        for witness in _WITNESSES:
            if witness not in said:
                kind = type(entry).__name__.lower()
                reason = f"an entry of kind {kind}: this witness has nothing to compute"
                yield _record(spec, entry, f"{kind}.{witness}", witness, _always(reason), seed)
        return
    parts = tuple(spec.assignment(entry.id))
    yield _record(
        spec,
        entry,
        "equation.numeric",
        "numeric",
        lambda: worst_finding([_equations.numeric(part, seed + i) for part in parts for i in range(SEEDS)]),
        seed,
    )
    yield _record(
        spec,
        entry,
        "equation.symbolic",
        "symbolic",
        lambda: worst_finding([_equations.symbolic(p) for p in parts]),
        seed,
    )
    yield _record(
        spec,
        entry,
        "equation.torch",
        "torch",
        lambda: worst_finding([_equations.torch_agrees(part, seed + i) for part in parts for i in range(SEEDS)]),
        seed,
    )
    if spec.id == "loss.cross_entropy":
        yield _record(spec, entry, "loss.reference", "reference", lambda: _documents.loss(spec, seed), seed)
    elif spec.reference is None:
        yield _record(spec, entry, "forward.equation", "reference", _always("the spec names no reference"), seed)


def _subject_records(
    spec: Spec, entries: tuple[Entry, ...], seed: int, examples: int, known: dict[str, Record]
) -> Iterator[Record]:
    from rnn_harness.checks import all_checks
    from rnn_harness.engine.runner import Runner, RunPlan
    from rnn_harness.subjects.subject import Subject

    done = [r for r in known.values() if r.spec == spec.id and r.entry == spec.id and r.seed == seed]
    if done and {r.check for r in done} >= {c.name for c in _applying(spec, all_checks())}:
        yield from (r for r in known.values() if r.spec == spec.id and r.check in {c.name for c in all_checks()})
        return
    whole = len(entries) == len(spec.entries)
    checks = all_checks() if whole else tuple(c for c in all_checks() if c.name == "forward.equation")
    runner = Runner(Subject.of(spec), RunPlan(checks))
    runner.run(seed, examples)
    wanted = {entry.id for entry in entries} | {spec.id} | set(spec.model.uses if whole else ())
    for record in runner.results().records(seed):
        if record.entry in wanted:
            yield record
    if whole:
        yield _proof(spec, seed)


def _applying(spec: Spec, checks: tuple[Check, ...]) -> list[Check]:
    from rnn_harness.subjects.subject import Subject

    subject = Subject.of(spec)
    return [c for c in checks if c.supports(subject) and c.name != "forward.equation"]


def _proof(spec: Spec, seed: int) -> Record:
    """The derived backward against SymPy's Jacobian: one step at sizes 1 and 2, and two steps at size 1.

    A stack of gated cells is proved over one step only: its polynomials of two steps take half a minute.
    """
    from rnn_harness.derivatives.proof import prove_backward

    start = time.perf_counter()
    program = spec.program()
    gated_stack = spec.model.layers and len(program.assignments) > LAYERS
    rounds = ((1, 1), (2, 1)) if gated_stack else ((1, 1), (2, 1), (1, 2))
    proofs = [prove_backward(program, size, steps) for size, steps in rounds]
    count = sum(proof.identities for proof in proofs)
    failed = next((proof.failed for proof in proofs if not proof.is_proved), "")
    return Record(
        entry=spec.id,
        spec=spec.id,
        check="backward.proof",
        witness="symbolic",
        outcome=Outcome.REFUTED if failed else Outcome.AGREES,
        reason=failed
        or f"{count} identities proved at sizes 1 and 2" + ("" if gated_stack else ", and over two steps"),
        examples=len(proofs),
        seconds=round(time.perf_counter() - start, 4),
        seed=seed,
        environment=versions(),
    )
