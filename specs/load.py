"""Read spec files: one at a time, or all that are shipped."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from rnn_harness.specs.explain_toml import explain, line_of
from rnn_harness.specs.schema import Entry, SpecModel
from rnn_harness.specs.spec import Spec, SpecError

_NOT_SPECS = {"claims.toml", "equivalences.toml", "errata.toml"}


class UnknownId(KeyError):
    """There is no spec, or no entry, of that id; says which look like it."""

    def __str__(self) -> str:
        return str(self.args[0])


def load_spec(path: Path | str, specs: Iterable[Spec] | None = None) -> Spec:
    """Read one spec file. `specs`: those whose equations it may take through ``uses`` (default: the shipped ones).

    Raises SpecError: unreadable file, malformed TOML, unknown or missing keys, wrong values, ids given twice, an
    equation taken from elsewhere that is not there. Whether the equations can be computed, `Spec.program` says.
    """
    spec = _read(Path(path))
    if not spec.model.uses:
        return spec
    return _with_uses(spec, library().specs if specs is None else specs)


def _read(path: Path) -> Spec:
    """A spec file by itself, its ``uses`` still to be followed."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecError(path, None, "there is no such file; expected a spec file (TOML)") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(path, None, f"cannot be read: {error}") from None
    return parse_spec(text, path)


def parse_spec(text: str, path: Path) -> Spec:
    """A spec from the text of a file, its ``uses`` still to be followed. Raises SpecError that names `path`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        message = str(error).split(" (at")[0]
        raise SpecError(path, int(at[1]) if at else None, f"not valid TOML: {message}") from None
    try:
        model = SpecModel.model_validate(data)
    except ValidationError as error:
        raise SpecError(path, *explain(text, SpecModel, error)) from None
    ids = [entry.id for entry in model.entries]
    for name in ids:
        if ids.count(name) > 1:
            raise SpecError(path, line_of(text, name), f"id {name} is given {ids.count(name)} times")
    lines = {name: line for name in (*ids, "uses") if (line := line_of(text, name))}
    return Spec(_with_documents(model), path, lines)


def _with_documents(model: SpecModel) -> SpecModel:
    """Every entry with its document filled in from the file's."""

    def fill(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        return tuple(e if e.document else e.model_copy(update={"document": model.document}) for e in entries)

    kinds = ("equations", "examples", "programs", "tables", "shapes", "identities")
    return model.model_copy(update={kind: fill(getattr(model, kind)) for kind in kinds})


def _with_uses(spec: Spec, library: Iterable[Spec]) -> Spec:
    known = {equation.id: equation for other in library for equation in other.model.equations}
    missing = [name for name in spec.model.uses if name not in known]
    if missing:
        near = difflib.get_close_matches(missing[0], known, n=2)
        hint = f"; there is {' and '.join(near)}" if near else ""
        raise SpecError(spec.path, spec.lines.get("uses"), f"uses {missing[0]}: no such equation{hint}")
    used = tuple(known[name].model_copy(update={"alternative": False}) for name in spec.model.uses)
    return dataclasses.replace(spec, used=used)


@dataclass(frozen=True)
class Library:
    """All shipped specs."""

    specs: tuple[Spec, ...]

    @functools.cached_property
    def entries(self) -> dict[str, tuple[Spec, Entry]]:
        """Every entry by id, with the spec it lives in."""
        return {entry.id: (spec, entry) for spec in self.specs for entry in spec.entries}

    def spec(self, name: str) -> Spec:
        """The spec of that id. Raises UnknownId, a KeyError that names those that look like it."""
        known = {spec.id: spec for spec in self.specs}
        if name not in known:
            raise UnknownId(f"there is no spec {name!r}{self.hint(name, known)}")
        return known[name]

    def entry(self, name: str) -> tuple[Spec, Entry]:
        """The entry of that id and its spec. Raises UnknownId, a KeyError that names those that look like it."""
        if name not in self.entries:
            raise UnknownId(f"there is no equation {name!r}{self.hint(name, self.entries)}")
        return self.entries[name]

    def nearest(self, name: str, more: Iterable[str] = ()) -> list[str]:
        """Ids of specs and entries (and `more`) that look like `name`, the nearest first."""
        return _like(name, [*self.entries, *(spec.id for spec in self.specs), *more])

    def hint(self, name: str, among: Iterable[str]) -> str:
        """``; did you mean A, B?``; empty where nothing looks like `name`."""
        near = _like(name, among)
        return f"; did you mean {', '.join(near)}?" if near else ""

    @property
    def cells(self) -> tuple[Spec, ...]:
        """The specs that define a step."""
        return tuple(spec for spec in self.specs if spec.is_cell)


def _like(name: str, known: Iterable[str]) -> list[str]:
    """Those of the same kind, which begin alike, go first."""
    folded = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), folded, n=len(folded) or 1, cutoff=0.4)
    return [folded[one] for one in sorted(near, key=lambda one: one[:1] != name[:1].lower())][:4]


@functools.cache
def library() -> Library:
    """The shipped spec files, read once. Raises SpecError if one is damaged."""
    folder = Path(str(resources.files("rnn_harness.specs") / "data"))
    paths = sorted(path for path in folder.glob("*.toml") if path.name not in _NOT_SPECS)
    alone = tuple(_read(path) for path in paths)
    whole = (_with_uses(spec, alone) if spec.model.uses else spec for spec in alone)
    everything = sorted(whole, key=lambda spec: (spec.model.document, spec.path.name))
    seen: dict[str, Spec] = {}
    for spec in everything:
        for entry in spec.entries:
            if entry.id in seen:
                raise SpecError(
                    spec.path, spec.lines.get(entry.id), f"id {entry.id} stands in {seen[entry.id].path} too"
                )
            seen[entry.id] = spec
    return Library(tuple(everything))
