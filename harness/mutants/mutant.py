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

from rnn_harness.references import OutputLayer, Reference, get_reference
from rnn_harness.specs import Spec
from rnn_harness.subjects.subject import Subject

_PACKAGE = "rnn_harness.references"


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
    part: str
    old: str
    new: str
    like: str = ""

    @property
    def edit(self) -> str:
        """The edit on one line, for tables."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{old}  ->  {new}"


def _compile(name: str, source: str) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = f"<{name}>"
    sys.modules[name] = module  # dataclasses look their module up by name
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    return module


def patched(mutant: Mutant) -> ModuleType:
    """The edited module of a mutant. Raises PatchError."""
    original = importlib.import_module(f"{_PACKAGE}.{mutant.module}")
    source = inspect.getsource(original)
    found = source.count(mutant.old)
    if found != 1:
        raise PatchError(f"mutant {mutant.name}: {mutant.old!r} stands {found} times in {mutant.module}, not once")
    label = re.sub(r"\W", "_", mutant.name)
    return _compile(f"{_PACKAGE}.{mutant.module}__{label}", source.replace(mutant.old, mutant.new))


def _remade(right: Any, module: ModuleType) -> Any:
    """The same object, of the edited module's class."""
    fields = {f.name: getattr(right, f.name) for f in dataclasses.fields(right) if f.init}
    return getattr(module, type(right).__name__)(**fields)


def build(mutant: Mutant, spec: Spec) -> Subject:
    """The spec's subject as the mutant computes it. Raises PatchError."""
    link = spec.reference
    assert link is not None, "mutants are made of specs with a reference"
    right: Reference = get_reference(link.name, **link.options)
    module = patched(mutant)
    output = OutputLayer(link.output) if link.output else None
    if mutant.module == "output_layer":
        return Subject(spec, right, _remade(output, module))
    host = type(right).__module__
    if host != f"{_PACKAGE}.{mutant.module}":
        # The edit is in a helper: recompile the cell's own module on top of it.
        source = inspect.getsource(importlib.import_module(host))
        source = source.replace(f"from {_PACKAGE}.{mutant.module} import", f"from {module.__name__} import")
        module = _compile(module.__name__.replace(f".{mutant.module}__", f".{host.split('.')[-1]}_on_"), source)
    return Subject(spec, _remade(right, module), output)
