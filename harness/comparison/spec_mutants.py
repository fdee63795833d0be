"""Wrong cells of every spec: the rewrites of its equations as torch modules, and the check that sees each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rnn_harness.cases.case import Case
from rnn_harness.comparison.spec_module import target_of_program
from rnn_harness.errors import HarnessError, NotRun, UsageError
from rnn_harness.specs import Spec
from rnn_harness.validation.judging.candidate_judge import judge_case
from rnn_harness.validation.judging.spec_file import kernel_by_names
from rnn_harness.validation.spec_search.constants import usual_constants, with_constants
from rnn_harness.validation.spec_search.rewrites import Rewrite, rewrites

CHECKS = ("precision.format", "backward.bound")
"""The checks that a wrong cell is tried on: its numbers, then its gradients."""
ROWS_AND_SCALES = ((2, 1.0), (64, 1.0), (64, 4.0))
"""Rows and scales of the cases: of few states, or of small ones, none may be so large that a limit of it shows."""
_SHOWN = Fraction(1, 3)
"""The value of a constant that is zero in its spec."""


@dataclass(frozen=True)
class SpecMutant:
    """A spec that is wrong on purpose.

    Attributes:
        spec: The right spec, without a reference.
        rewrite: What is computed in its place.
    """

    spec: Spec
    rewrite: Rewrite

    @property
    def sentence(self) -> str:
        """What is wrong, after the ids of the equations."""
        rows = zip(self.rewrite.equations, self.rewrite.sentences, strict=True)
        return "; ".join(f"{equation}: {words}" for equation, words in rows)


def spec_mutants(spec: Spec) -> Iterator[SpecMutant]:
    """Yield the wrong cells of a spec, likely mistakes first.

    A constant that is zero gets a value that is not: whatever is wrong with what it multiplies would be right else.

    Args:
        spec: A cell of one step with one state or two, without a reference.
    """
    constants = {name: value or _SHOWN for name, value in usual_constants(spec).items()}
    shown = with_constants(spec, constants) if spec.model.constants else spec
    for rewrite in rewrites(shown.program()):
        yield SpecMutant(shown, rewrite)


def killer(mutant: SpecMutant) -> str | None:
    """Return the check that refutes a wrong cell; None where it survives.

    Args:
        mutant: The wrong cell.

    Raises:
        UsageError: The right cell cannot be driven either.
        NotRun: No check could be run on it.
    """
    try:
        kernel = kernel_by_names(target_of_program(mutant.spec, mutant.rewrite.program), mutant.spec, ("float64",))
    except UsageError:
        kernel_by_names(target_of_program(mutant.spec, mutant.spec.program()), mutant.spec, ("float64",))
        return "it cannot be driven"
    could_be_run = False
    for (rows, scale), check in itertools.product(ROWS_AND_SCALES, CHECKS):
        case = Case(spec=mutant.spec.id, n=3, d=4, T=3, B=rows, seed=1, scale=scale)
        case = case.model_copy(update=kernel.fixed_sizes or {})
        try:
            finding = judge_case(kernel, check, case)
        except HarnessError:
            raise
        except NotRun:
            continue
        could_be_run = True
        if finding is not None and not finding.agrees:
            return check
    if not could_be_run:
        raise NotRun(f"none of {', '.join(CHECKS)} could be run on {mutant.spec.id}")
    return None
