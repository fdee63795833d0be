"""A mutant: a reference that is wrong on purpose, by one edit of its source.

The edit is text: `old` must stand exactly once in the module, and is replaced by `new`. The patched source is
compiled into a module of its own, so that the right reference stays as it is, and the edit that is shown to the
reader is the edit that ran.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from rnn_harness.references import Reference, get


class PatchError(ValueError):
    """The text a mutant replaces does not stand exactly once in its module."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong reference.

    `spec`: the spec it is judged against, whose reference it patches. `module`: the module of
    `rnn_harness.references` that is edited. `part`: ``forward`` or ``backward``, where the fault is. `like`: the
    published bug it is modelled on, if any.
    """

    name: str
    spec: str
    module: str
    old: str
    new: str
    part: str
    like: str = ""

    @property
    def description(self) -> str:
        """The edit on one line, for tables."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{old}  ->  {new or '(nothing)'}"


def patched(mutant: Mutant) -> ModuleType:
    """The module of a mutant, compiled from the edited source. Raises PatchError."""
    original = importlib.import_module(f"rnn_harness.references.{mutant.module}")
    source = inspect.getsource(original)
    found = source.count(mutant.old)
    if found != 1:
        raise PatchError(
            f"mutant {mutant.name}: {mutant.old!r} stands {found} times in {original.__name__}, expected once"
        )
    module = ModuleType(f"{original.__name__}__{mutant.name.replace('.', '_').replace('-', '_')}")
    module.__file__ = f"<mutant {mutant.name}>"
    sys.modules[module.__name__] = module  # dataclasses look their module up by name
    exec(compile(source.replace(mutant.old, mutant.new), module.__file__, "exec"), module.__dict__)
    return module


def build(mutant: Mutant, name: str, options: dict[str, Any]) -> Reference:
    """The reference `get(name, **options)` as the mutant computes it."""
    right = get(name, **options)
    wrong: Reference = getattr(patched(mutant), type(right).__name__)(**options)
    return wrong
