"""The lists, dictionaries and objects in an argument, and what each of them holds: a call should leave that alone."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from types import SimpleNamespace

_IN_PLACE = re.compile(r"\bin[-_ ]?place\b|incremental|\bcach(e|ed|ing)\b|\bmutat", re.IGNORECASE)


@dataclass(frozen=True)
class HeldEntries:
    """What a list, a dictionary or an object with fields held before a call.

    Attributes:
        words: What it is, for sentences.
        holder: The object itself.
        entries: What it held: pairs of a place and what stood there.
    """

    words: str
    holder: object
    entries: tuple[tuple[object, object], ...]

    def are_replaced(self) -> bool:
        """Whether something else stands at one of the places now, or there are more or fewer of them."""
        current = _entries(self.holder)
        return len(current) != len(self.entries) or any(
            place != before_place or value is not before
            for (place, value), (before_place, before) in zip(current, self.entries, strict=True)
        )


def held_entries(value: object, name: str) -> Iterator[HeldEntries]:
    """Note what every list, dictionary and object with fields in an argument holds.

    Args:
        value: The argument, before the call.
        name: What it is called in sentences; what stands inside of it is called by its place there.
    """
    kinds: dict[type, str] = {list: "list", dict: "dictionary", SimpleNamespace: "object"}
    kind = next((words for known, words in kinds.items() if isinstance(value, known)), "")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = "object"
    entries = _entries(value)
    if kind:
        yield HeldEntries(f"the {kind} {name}", value, entries)
    for place, part in entries:
        yield from held_entries(part, f"{name}[{place!r}]")


def replaced_words(held: Iterable[HeldEntries]) -> str:
    """Name the first object of which an entry was replaced; empty where none was.

    Args:
        held: What was noted before a call.
    """
    return next((entries.words for entries in held if entries.are_replaced()), "")


def says_in_place(written_class: type) -> bool:
    """Say whether the source of a class speaks of changing its arguments in place, or of a cache that it fills.

    Args:
        written_class: The class of a module; one without a source says nothing.
    """
    try:
        return _IN_PLACE.search(inspect.getsource(written_class)) is not None
    except (OSError, TypeError):
        return False


def _entries(value: object) -> tuple[tuple[object, object], ...]:
    """The places of a container and what stands there."""
    if isinstance(value, MutableMapping):
        return tuple(value.items())
    if isinstance(value, list | tuple):
        return tuple(enumerate(value))
    if isinstance(value, SimpleNamespace):
        return tuple(vars(value).items())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return tuple(
            (field.name, vars(value)[field.name]) for field in dataclasses.fields(value) if field.name in vars(value)
        )
    return ()
