"""What a worker says of a candidate beside its numbers; what could make wrong numbers right is not believed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from rnn_harness.arithmetic.assumptions import UNIT_ROUNDOFF
from rnn_harness.cases.case import Case
from rnn_harness.kernels.spec_signature import SpecSignature
from rnn_harness.references import get_reference
from rnn_harness.specs import Spec
from rnn_harness.subjects.subject import LAYERS, Subject
from rnn_harness.validation.returned_numbers import NumbersReturned
from rnn_harness.validation.spec_search.spec_pieces import added_vectors

SIZE_LETTERS = frozenset("ndB")
"""The sizes that a candidate may exist for alone."""
MOST_PARAMETERS = 2**27
"""Numbers in all parameters of a case that are drawn in this process: one gigabyte."""
LARGEST_CONSTANT = 2**20
"""A larger one makes every bound useless, and no cell has it."""


def disbelieved(numbers: NumbersReturned, spec: Spec) -> Iterator[str]:
    """Yield what is said of a candidate that cannot be so.

    Args:
        numbers: What a worker sent.
        spec: The spec that it names, as this process has it.
    """
    if numbers.dtype not in UNIT_ROUNDOFF:
        yield f"{numbers.dtype!r} is no format"
    if not numbers.sizes.keys() <= SIZE_LETTERS or min(numbers.sizes.values(), default=1) < 1:
        yield f"it cannot exist for the sizes {dict(numbers.sizes)} alone"
    for name, value in spec.model.constants.items():
        if abs(_number(value)) > LARGEST_CONSTANT:
            yield f"{name} = {value} is no constant of a cell"
    yield from (f"the spec cannot be without {name}" for name in numbers.absent if name not in _may_lack(spec))


def _number(text: str) -> float:
    """Return a constant; infinity for what is no number."""
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.inf


def _may_lack(spec: Spec) -> frozenset[str]:
    """Return what a candidate may lack: biases, states that are not given, final states that do not come back."""
    link = spec.reference
    subject = (
        Subject(spec, SpecSignature(spec))
        if link is None
        else Subject.of(spec, get_reference(link.name, **link.options))
    )
    biases = added_vectors(spec.program(LAYERS))
    names = {block.name for symbol, blocks in subject.blocks.items() if symbol in biases for block in blocks}
    states = subject.cell.state_names
    return frozenset(names) | {f"{table}.{state}" for table in ("states", "finals") for state in states}


def are_too_many(subject: Subject, case: Case) -> bool:
    """Say whether a cell has more parameters than are drawn in this process.

    Args:
        subject: The cell.
        case: The sizes.
    """
    shapes = subject.parameter_shapes(case.sizes).values()
    return sum(math.prod(shape) for shape in shapes) > MOST_PARAMETERS
