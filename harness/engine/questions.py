"""Questions with a single record as their answer: of an entry, a proof, a pair of specs, a fact.

A question is plain data: it can be sent to another process and answered there.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Protocol

from rnn_harness.checks.check import EntryCheck, Finding
from rnn_harness.engine.pending_record import PendingRecord
from rnn_harness.specs import Equivalence, Library, Spec, library
from rnn_harness.subjects.subject import LAYERS


class Question(Protocol):
    """What a single record answers."""

    def pending(self) -> PendingRecord:
        """Return the record, not made yet."""


@dataclass(frozen=True)
class EntryQuestion:
    """One check of one entry.

    Attributes:
        user_specs: the specs that are not shipped.
        spec_id: id of the spec that the entry stands in.
        entry_id: id of the entry.
        number: place of the check among those of the entry.
        seed: what numbers are drawn from.
    """

    user_specs: tuple[Spec, ...]
    spec_id: str
    entry_id: str
    number: int
    seed: int

    def pending(self) -> PendingRecord:
        """Return the record of the check."""
        from rnn_harness.checks.entry_checks import entry_checks

        known = Library((*library().specs, *self.user_specs))
        spec = next(spec for spec in known.specs if spec.id == self.spec_id)
        entry = next(entry for entry in spec.entries if entry.id == self.entry_id)
        check = list(entry_checks(spec, entry, known, self.seed))[self.number]
        return PendingRecord.of(entry.id, spec.id, check, self.seed)


@dataclass(frozen=True)
class ProofQuestion:
    """The proof of a cell's derived backward against SymPy's Jacobian.

    Attributes:
        spec: the cell.
        seed: the seed of the run, for the record.
    """

    spec: Spec
    seed: int

    def pending(self) -> PendingRecord:
        """Return the record of the proof."""
        sizes = _proved_sizes(self.spec)
        check = EntryCheck("backward.proof", "symbolic", functools.partial(_proof, self.spec, sizes))
        return PendingRecord.of(self.spec.id, self.spec.id, check, self.seed, len(sizes))


@dataclass(frozen=True)
class PairQuestion:
    """The proof that two specs are equal, or that they are not.

    Attributes:
        pair: the pair, with what is expected of it.
        seed: the seed of the run, for the record.
    """

    pair: Equivalence
    seed: int

    def pending(self) -> PendingRecord:
        """Return the record of the proof."""
        check = EntryCheck("equivalence.proof", "symbolic", functools.partial(_equivalence, self.pair))
        return PendingRecord.of(self.pair.id, "equivalences", check, self.seed, examples=2)


@dataclass(frozen=True)
class FactQuestion:
    """A fact that one computation decides.

    Attributes:
        name: the fact's name.
        seed: the seed of the run, for the record.
    """

    name: str
    seed: int

    def pending(self) -> PendingRecord:
        """Return the record of the fact."""
        from rnn_harness.checks.facts import FACTS_SPEC, facts

        fact = next(fact for fact in facts() if fact.name == self.name)
        check = EntryCheck(fact.name, "reference", fact.finding)
        return PendingRecord.of(fact.name, FACTS_SPEC, check, self.seed)


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
