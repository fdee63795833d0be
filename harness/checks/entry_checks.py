"""Everything that can be said about an entry of the documents without a subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rnn_harness.checks import document_examples, equation
from rnn_harness.checks.check import EntryCheck, Finding, worst_finding
from rnn_harness.errors import NotRun
from rnn_harness.records.verdict import Witness
from rnn_harness.specs import Entry, Equation, Library, Spec

SEEDS = 3
"""Random operands tried for one equation alone; it has no state to be generic about."""
_WITNESSES: tuple[Witness, ...] = ("reference", "numeric", "symbolic", "torch")


def entry_checks(spec: Spec, entry: Entry, library: Library, seed: int) -> Iterator[EntryCheck]:
    """Yield the checks of one entry, one at least for every witness.

    Args:
        spec: the spec that the entry stands in.
        entry: an equation, or another entry of a document.
        library: all specs, of which an entry may speak.
        seed: what numbers are drawn from.
    """
    yield EntryCheck("text.audit", "text", lambda: equation.text(spec, entry, library.specs))
    if isinstance(entry, Equation):
        yield from _equation_checks(spec, entry, seed)
    else:
        yield from _document_checks(entry, library, seed)


def _equation_checks(spec: Spec, entry: Equation, seed: int) -> Iterator[EntryCheck]:
    parts = tuple(spec.assignment(entry.id))
    seeds = range(seed, seed + SEEDS)
    yield EntryCheck(
        "equation.numeric",
        "numeric",
        lambda: worst_finding([equation.numeric(part, number) for part in parts for number in seeds]),
    )
    yield EntryCheck(
        "equation.symbolic", "symbolic", lambda: worst_finding([equation.symbolic(part) for part in parts])
    )
    yield EntryCheck(
        "equation.torch",
        "torch",
        lambda: worst_finding([equation.torch_agrees(part, number) for part in parts for number in seeds]),
    )
    if spec.id == "loss.cross_entropy":
        yield EntryCheck("loss.reference", "reference", lambda: document_examples.loss(spec, seed))
    elif spec.reference is None:
        yield EntryCheck("forward.equation", "reference", _not_run("the spec names no reference"))


def _document_checks(entry: Entry, library: Library, seed: int) -> Iterator[EntryCheck]:
    witnesses: set[Witness] = set()
    for check in document_examples.document_checks(entry, library, seed):
        witnesses.add(check.witness)
        yield check
    sort = type(entry).__name__.lower()
    reason = f"an entry of kind {sort}: this witness has nothing to compute"
    for witness in _WITNESSES:
        if witness not in witnesses:
            yield EntryCheck(f"{sort}.{witness}", witness, _not_run(reason))


def _not_run(reason: str) -> Callable[[], Finding]:
    """What gives that reason in place of a finding."""

    def decide() -> Finding:
        raise NotRun(reason)

    return decide
