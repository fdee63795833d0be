"""A shipped spec file with the constants of a target, and with the equations as the target has them."""

from __future__ import annotations

import re

from rnn_harness.errors import NotRun
from rnn_harness.specs import Spec, parse_spec

_FIRST_EQUATION = "[[equations]]"


def altered_spec_file(spec: Spec) -> str:
    """Write the file of a spec with its constants and readings in the place of those that the file has.

    Args:
        spec: A spec, perhaps with other constants than its file has, or with other readings of its equations.

    Returns:
        The text of a spec file; that of the spec's own file where it says the same.

    Raises:
        OSError: The file of the spec cannot be read.
        SpecError: It is no spec any more.
        NotRun: It is written in a way in which nothing can be replaced.
    """
    text = spec.path.read_text(encoding="utf-8")
    before = parse_spec(text, spec.path)
    if before.model.constants != spec.model.constants:
        text = _with_constants(text, dict(spec.model.constants))
    for old, new in zip(before.model.equations, spec.model.equations, strict=True):
        if new.reading is not None and old.reading != new.reading:
            text = _with_reading(text, new.id, new.reading)
    if parse_spec(text, spec.path).program().assignments != spec.program().assignments:
        raise NotRun(f"the equations of the target cannot be written into a copy of {spec.path}")
    return text


def _with_constants(text: str, constants: dict[str, str]) -> str:
    """Put other constants into a spec file, before its first equation where it had none."""
    numbers = ", ".join(f'{name} = "{value}"' for name, value in constants.items())
    line = f"constants = {{ {numbers} }}\n"
    without = re.sub(r"^constants = .*\n", "", text, flags=re.MULTILINE)
    head, first, equations = without.partition(_FIRST_EQUATION)
    return f"{head.rstrip()}\n{line}\n{first}{equations}"


def _with_reading(text: str, equation: str, reading: str) -> str:
    """Put a reading behind the id of an equation, in the place of the one that it had."""
    head, line, behind = text.partition(f'id = "{equation}"\n')
    block, separator, further = behind.partition("[[")
    block = re.sub(r"^reading = .*\n", "", block, flags=re.MULTILINE)
    return f"{head}{line}reading = '{reading}'\n{block}{separator}{further}"
