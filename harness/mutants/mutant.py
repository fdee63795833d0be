"""A mutant: a reference that is wrong on purpose, by one edit of its source.

The edit is text: `old` must stand exactly once in the module, and is replaced by `new`. The patched source is
compiled into a module of its own, so that the right reference stays as it is, and the edit that is shown to the
reader is the edit that ran.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from rnn_harness.attributes import field_values, member
from rnn_harness.records.kill_matrix import MutantDescription, Part
from rnn_harness.references import OutputLayer, Reference, get_reference
from rnn_harness.specs import Spec
from rnn_harness.subjects.subject import Subject

_PACKAGE = "rnn_harness.references"


class PatchError(ValueError):
    """The text a mutant replaces does not stand exactly once in its module."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong reference.

    Attributes:
        name: The name that the kill matrix shows.
        spec: The spec it is judged by, whose reference it patches.
        module: The module of `rnn_harness.references` that is edited.
        part: The part of the reference where the fault is.
        old: The text that is replaced; it stands exactly once in the module.
        new: The text that replaces it.
        published_bug: The published bug it is modelled on; empty where there is none.
    """

    name: str
    spec: str
    module: str
    part: Part
    old: str
    new: str
    published_bug: str = ""

    @property
    def edit(self) -> str:
        """The edit on one line, for tables."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{old}  ->  {new}"

    @property
    def edit_lines(self) -> tuple[str, ...]:
        """The edit as the lines of a diff: ``- old`` and ``+ new``."""
        return (
            *(f"- {line.strip()}" for line in self.old.strip().splitlines()),
            *(f"+ {line.strip()}" for line in self.new.strip().splitlines()),
        )

    def describe(self) -> MutantDescription:
        """Return what a report shows of it."""
        return MutantDescription(
            mutant=self.name, spec=self.spec, part=self.part, edit=self.edit, published_bug=self.published_bug
        )


def _compile(name: str, source: str) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = f"<{name}>"
    sys.modules[name] = module  # dataclasses look their module up by name
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    return module


def patched(mutant: Mutant) -> ModuleType:
    """Compile the edited module of a mutant.

    Args:
        mutant: the module it names stays as it is.

    Returns:
        A new module under a name of its own, in which the text is replaced.

    Raises:
        PatchError: the text it replaces does not stand exactly once in the module.
    """
    original = importlib.import_module(f"{_PACKAGE}.{mutant.module}")
    source = inspect.getsource(original)
    count = source.count(mutant.old)
    if count != 1:
        raise PatchError(f"mutant {mutant.name}: {mutant.old!r} stands {count} times in {mutant.module}, not once")
    label = re.sub(r"\W", "_", mutant.name)
    return _compile(f"{_PACKAGE}.{mutant.module}__{label}", source.replace(mutant.old, mutant.new))


def _of_edited_class(right: Any, module: ModuleType) -> Any:
    """The same object, of the edited module's class."""
    made_from = {field.name for field in dataclasses.fields(right) if field.init}
    fields = {name: value for name, value in field_values(right).items() if name in made_from}
    return member(module, type(right).__name__)(**fields)


def build(mutant: Mutant, spec: Spec) -> Subject:
    """Build the spec's subject as the mutant computes it.

    Args:
        mutant: the edit.
        spec: the mutant's spec.

    Raises:
        PatchError: the text that is replaced does not stand exactly once in the module.
    """
    link = spec.reference
    assert link is not None, "mutants are made of specs with a reference"
    right: Reference = get_reference(link.name, **link.options)
    module = patched(mutant)
    output = OutputLayer(link.output) if link.output else None
    if mutant.module == "output_layer":
        return Subject(spec, right, _of_edited_class(output, module))
    host = type(right).__module__
    if host != f"{_PACKAGE}.{mutant.module}":
        # The edit is in a helper: recompile the cell's own module on top of it.
        source = inspect.getsource(importlib.import_module(host))
        source = source.replace(f"from {_PACKAGE}.{mutant.module} import", f"from {module.__name__} import")
        module = _compile(module.__name__.replace(f".{mutant.module}__", f".{host.split('.')[-1]}_on_"), source)
    return Subject(spec, _of_edited_class(right, module), output)
