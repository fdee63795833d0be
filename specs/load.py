"""Read spec files: one at a time, or all that are shipped."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from rnn_harness.specs.explain_toml import explain, lines_of
from rnn_harness.specs.schema import Entry, SpecModel
from rnn_harness.specs.spec import Spec, SpecError

_NOT_SPECS = {"claims.toml", "equivalences.toml", "errata.toml", "lines.toml"}


class UnknownId(KeyError):
    """An id of no spec and no entry; the message names those that look like it."""

    def __str__(self) -> str:
        return str(self.args[0])


LARGEST_FILE = 2**20
"""Bytes of the largest spec file that is read; the largest of the shipped ones has some ten thousand."""


def load_spec(path: Path | str, specs: Iterable[Spec] | None = None) -> Spec:
    """Read one spec file. Whether its equations can be computed, `Spec.program` shows.

    Args:
        path: the file.
        specs: the specs whose equations it may take through ``uses``; the shipped ones where None.

    Raises:
        SpecError: for an unreadable file, malformed TOML, unknown or missing keys, wrong values, an id that stands
            twice, or an equation taken from elsewhere that is not there.
    """
    spec = _read(Path(path))
    if not spec.model.uses:
        return spec
    return _with_uses(spec, library().specs if specs is None else specs)


def _read(path: Path) -> Spec:
    """Read a spec file, its ``uses`` still to be followed. Raises SpecError."""
    try:
        if path.is_file() and path.stat().st_size > LARGEST_FILE:
            raise SpecError(path, None, f"cannot be read: it is larger than {LARGEST_FILE // 2**20} MiB")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(path, None, "there is no such file; expected a spec file (TOML)") from None
    except OSError as error:
        raise SpecError(path, None, f"cannot be read: {error.strerror}; expected a spec file (TOML)") from None
    except UnicodeDecodeError:
        raise SpecError(path, None, "cannot be read: it is no text in UTF-8; expected a spec file (TOML)") from None
    return parse_spec(text, path)


def parse_spec(text: str, path: Path) -> Spec:
    """Read a spec from the text of a file, its ``uses`` still to be followed.

    Args:
        text: the text of the file (TOML).
        path: the file, for messages.

    Raises:
        SpecError: that names `path`.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        message = str(error).split(" (at")[0]
        raise SpecError(path, int(at[1]) if at else None, f"not valid TOML: {message}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, tables in tables in tables
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SpecError(path, None, f"cannot be read: {reason}") from None
    try:
        model = SpecModel.model_validate(data, context={"is_file": True})
    except ValidationError as error:
        raise SpecError(path, *explain(text, SpecModel, error)) from None
    _refuse_unprintable(model.model_dump(mode="json"), path)
    ids = Counter(entry.id for entry in model.entries)
    lines = lines_of(text, (*ids, "uses"))
    for name, count in ids.items():
        if count > 1:
            raise SpecError(path, lines.get(name), f"id {name} is given {count} times")
    spec = Spec(_with_documents(model), path, lines)
    for entry in spec.entries:
        if entry.document and not entry.line:
            message = f"{entry.id}: line is missing: expected the line of {entry.document} on which it stands"
            raise SpecError(path, lines.get(entry.id), message)
    return spec


_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters: a terminal obeys them where an id or a title is printed."""


def _refuse_unprintable(value: object, path: Path) -> None:
    """Raise SpecError for a text with a control character in it."""
    match value:
        case str():
            control = _UNPRINTABLE.search(value)
            if control is not None:
                raise SpecError(path, None, f"the control character U+{ord(control[0]):04X} stands in {value[:60]!r}")
        case dict():
            for key, entry in value.items():
                _refuse_unprintable(key, path)
                _refuse_unprintable(entry, path)
        case list():
            for entry in value:
                _refuse_unprintable(entry, path)


def _with_documents(model: SpecModel) -> SpecModel:
    """Fill in the document of every entry that names none."""

    def fill(entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Return the entries, each with a document."""
        return tuple(e if e.document else e.model_copy(update={"document": model.document}) for e in entries)

    sections: dict[str, Sequence[Entry]] = {
        "equations": model.equations,
        "examples": model.examples,
        "programs": model.programs,
        "tables": model.tables,
        "shapes": model.shapes,
        "identities": model.identities,
    }
    return model.model_copy(update={section: fill(entries) for section, entries in sections.items()})


def _with_uses(spec: Spec, specs: Iterable[Spec]) -> Spec:
    """Add the equations that a spec takes from others. Raises SpecError."""
    known = {equation.id: equation for source in specs for equation in source.model.equations}
    missing = [name for name in spec.model.uses if name not in known]
    if missing:
        near = difflib.get_close_matches(missing[0], known, n=2)
        hint = f"; there is {' and '.join(near)}" if near else ""
        raise SpecError(spec.path, spec.lines.get("uses"), f"uses {missing[0]}: no such equation{hint}")
    used = tuple(known[name].model_copy(update={"alternative": False}) for name in spec.model.uses)
    return dataclasses.replace(spec, used=used)


@dataclass(frozen=True)
class Library:
    """A collection of specs that are looked up by id.

    Attributes:
        specs: the specs, in the order of documents and files.
    """

    specs: tuple[Spec, ...]

    @functools.cached_property
    def entries(self) -> dict[str, tuple[Spec, Entry]]:
        """Every entry by id, with its spec."""
        return {entry.id: (spec, entry) for spec in self.specs for entry in spec.entries}

    def spec(self, name: str) -> Spec:
        """Return the spec of an id.

        Args:
            name: the id in full, such as ``gru.keep.rowvector``.

        Raises:
            UnknownId: (a KeyError) that names the ids that look like it.
        """
        known = {spec.id: spec for spec in self.specs}
        if name not in known:
            raise UnknownId(f"there is no spec {name!r}{self.hint(name, known)}")
        return known[name]

    def entry(self, name: str) -> tuple[Spec, Entry]:
        """Return the spec and the entry of an entry's id.

        Args:
            name: the id of an equation, an identity, an example or another entry of a spec file, such as ``E-101``.

        Raises:
            UnknownId: (a KeyError) that names the ids that look like it.
        """
        if name not in self.entries:
            raise UnknownId(f"there is no equation {name!r}{self.hint(name, self.entries)}")
        return self.entries[name]

    def nearest(self, name: str, more: Iterable[str] = ()) -> list[str]:
        """Return ids of specs and entries (and `more`) that look like `name`, the nearest first.

        Args:
            name: the id that is not known.
            more: further names to choose among.
        """
        return _nearest_names(name, [*self.entries, *(spec.id for spec in self.specs), *more])

    def hint(self, name: str, among: Iterable[str]) -> str:
        """Return ``; did you mean A, B?`` with the names that look like `name`, or an empty text.

        Args:
            name: the name that is not known.
            among: the names to choose among.
        """
        near = _nearest_names(name, among)
        return f"; did you mean {', '.join(near)}?" if near else ""

    @property
    def cells(self) -> tuple[Spec, ...]:
        """The specs that define a step."""
        return tuple(spec for spec in self.specs if spec.is_cell)


def _nearest_names(name: str, known: Iterable[str]) -> list[str]:
    """Return up to four names that look like `name`; those with the same first letter (E-, Q-, ...) go first."""
    folded = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), folded, n=len(folded) or 1, cutoff=0.4)
    return [folded[candidate] for candidate in sorted(near, key=lambda text: text[:1] != name[:1].lower())][:4]


@functools.cache
def library() -> Library:
    """Return the shipped specs, read once.

    Raises:
        SpecError: if a shipped file is damaged.
    """
    folder = Path(str(resources.files("rnn_harness.specs") / "data"))
    paths = sorted(path for path in folder.glob("*.toml") if path.name not in _NOT_SPECS)
    files = tuple(_read(path) for path in paths)
    specs = (_with_uses(spec, files) if spec.model.uses else spec for spec in files)
    ordered = sorted(specs, key=lambda spec: (spec.model.document, spec.path.name))
    homes: dict[str, Spec] = {}
    for spec in ordered:
        for entry in spec.entries:
            if entry.id in homes:
                raise SpecError(
                    spec.path, spec.lines.get(entry.id), f"id {entry.id} stands in {homes[entry.id].path} too"
                )
            homes[entry.id] = spec
    return Library(tuple(ordered))
