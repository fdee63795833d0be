"""What the user means by names of equations, specs and documents."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rnn_harness.errors import UsageError
from rnn_harness.specs import Entry, Equivalence, Library, Spec, equivalences, library, literature


@dataclass(frozen=True)
class SelectedSpec:
    """A spec, and those of its entries that are to be decided.

    Attributes:
        spec: the spec.
        entries: its entries that are to be decided, in the order of the file.
    """

    spec: Spec
    entries: tuple[Entry, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every entry of the spec is meant."""
        return len(self.entries) == len(self.spec.entries)


FACTS = "facts"
"""The name that means them all."""


@dataclass(frozen=True)
class Selection:
    """What to decide.

    Attributes:
        library: the shipped specs and those from files.
        specs: the specs meant, in the library's order.
        pairs: pairs of specs whose equivalence is to be proved.
        with_facts: whether the facts are meant that decide claims by one computation.
    """

    library: Library
    specs: tuple[SelectedSpec, ...]
    pairs: tuple[Equivalence, ...] = ()
    with_facts: bool = False

    @property
    def size(self) -> int:
        """How many entries."""
        return sum(len(selected.entries) for selected in self.specs)


def select(names: Iterable[str], extra: Iterable[Spec] = ()) -> Selection:
    """Return the entries meant.

    Args:
        names: ids of entries, of specs, of pairs of specs, of cells of papers (``mgu``), or of documents (``003``), or
            ``facts``; without names, all but the cells of papers.
        extra: specs from files, taken with all their entries.

    Raises:
        UsageError: a name means nothing; the message lists the nearest ids.
    """
    names = tuple(names)
    extra = tuple(extra)
    extra += tuple(spec for spec in _cells_of_papers(names) if all(spec.id != file.id for file in extra))
    known = Library((*library().specs, *extra))
    chosen: dict[str, list[Entry]] = {spec.id: list(spec.entries) for spec in extra}
    if not names and not chosen:
        everything = tuple(SelectedSpec(spec, tuple(spec.entries)) for spec in known.specs)
        return Selection(known, everything, tuple(equivalences()), with_facts=True)
    pairs: list[Equivalence] = []
    for name in (name for name in names if name != FACTS):
        pairs_meant = list(_pairs_meant(name))
        pairs += [pair for pair in pairs_meant if pair not in pairs]
        if pairs_meant:
            continue
        for selected in _meant(name, known):
            entries = chosen.setdefault(selected.spec.id, [])
            entries += [entry for entry in selected.entries if entry not in entries]
    selected_specs = (SelectedSpec(spec, tuple(chosen[spec.id])) for spec in known.specs if spec.id in chosen)
    return Selection(known, tuple(selected_specs), tuple(pairs), with_facts=FACTS in names)


def _cells_of_papers(names: Iterable[str]) -> Iterator[Spec]:
    """The cells of the literature that have these ids; their files are read only where a name is of nothing else."""
    shipped = {spec.id for spec in library().specs}
    wanted = [name for name in dict.fromkeys(names) if name not in shipped and name.upper() not in _entry_ids()]
    if wanted:
        yield from (spec for spec in literature() if spec.id in wanted)


def _entry_ids() -> frozenset[str]:
    return frozenset(entry_id.upper() for entry_id in library().entries)


def _pairs_meant(name: str) -> Iterator[Equivalence]:
    """The pairs of specs with that id, or all of them. Raises UsageError for an empty name."""
    if not name:
        raise UsageError("'' is no equation, spec or document: leave it out to mean all of them")
    for pair in equivalences():
        if name.upper() == pair.id or name == "equivalences":
            yield pair


def _meant(name: str, known: Library) -> list[SelectedSpec]:
    """The entries with that id, or those of a spec or a document. Raises UsageError if there is none."""
    meant = [
        SelectedSpec(spec, (entry,))
        for spec in known.specs
        for entry in spec.entries
        if name.upper() == entry.id.upper() or name == spec.id or name == spec.model.document
    ]
    if not meant:
        documents = {spec.model.document for spec in known.specs if spec.model.document}
        near = known.nearest(name, (*documents, *(pair.id for pair in equivalences()), "equivalences", FACTS))
        near += tuple(difflib.get_close_matches(name, [spec.id for spec in literature()], n=3))
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(
            f"there is no equation, spec or document {name!r}{hint} "
            "(rnn-harness specs lists all, rnn-harness specs literature those of papers)"
        )
    return meant
