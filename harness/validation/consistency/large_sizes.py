"""Faults that begin above some number of units or inputs: the properties of small cells, asked of large ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from rnn_harness.arithmetic.assumptions import FADED, STRUCTURAL
from rnn_harness.errors import NotRun, Refused
from rnn_harness.runtime.target_call import is_raised_by_target
from rnn_harness.validation.consistency.budget import Budget
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Property, Violation, relative_gap
from rnn_harness.validation.consistency.driven_cell import DrivenCell, of_size
from rnn_harness.validation.consistency.parameter_properties import MOVE, unused_parameters


class TriedSize(NamedTuple):
    """A size at which a cell is tried.

    Attributes:
        input_size: n.
        hidden_size: d.
    """

    input_size: int
    hidden_size: int


LARGE_SIZES = (TriedSize(64, 64), TriedSize(37, 257), TriedSize(300, 5))
"""As many inputs as units, a power of two; many units; many inputs."""
USED_STEPS = 3
"""Steps over which a parameter must have an influence."""
Trial = Callable[[TriedSize], Violation | None]
"""Tries a cell of some size."""


def violation_of_large_sizes(small: TriedSize, trial: Trial, budget: Budget) -> Violation | None:
    """Try a cell at large sizes, and where one is wrong find the number of units or inputs from which it is.

    Args:
        small: The size at which it is known to be right.
        trial: Tries it at one size.
        budget: How long it may take.

    Raises:
        NotRun: It exists for fixed sizes, or some of the sizes take too long.
    """
    slowest = 0.0
    for size in LARGE_SIZES:
        budget.require(slowest, f"n = {size.input_size}, d = {size.hidden_size}")
        start = time.process_time()
        violation = trial(size)
        slowest = max(slowest, time.process_time() - start)
        if violation is not None:
            return _narrowed(small, size, trial, violation, budget)
    return None


def _narrowed(small: TriedSize, size: TriedSize, trial: Trial, violation: Violation, budget: Budget) -> Violation:
    """Say from which number of units, or of inputs, a violation begins; the sizes alone where the time is up."""
    is_of_units = _breaks(trial, TriedSize(small.input_size, size.hidden_size))
    axis = "units" if is_of_units else "inputs"

    def at(number: int) -> TriedSize:
        if is_of_units:
            return TriedSize(small.input_size, number)
        return TriedSize(number, small.hidden_size)

    right, wrong = (small.hidden_size, size.hidden_size) if is_of_units else (small.input_size, size.input_size)
    if not is_of_units and not _breaks(trial, at(wrong)):
        sentence = f"with n = {size.input_size} and d = {size.hidden_size}: {violation.sentence}"
        return Violation(violation.part, sentence)
    while wrong - right > 1 and budget.remaining > 0:
        middle = (wrong + right) // 2
        if _breaks(trial, at(middle)):
            wrong = middle
        else:
            right = middle
    return Violation(violation.part, f"with {wrong} {axis} or more (not with {right}): {violation.sentence}")


def _breaks(trial: Trial, size: TriedSize) -> bool:
    """Whether a cell of that size is wrong, too."""
    try:
        return trial(size) is not None
    except NotRun:
        return False


def property_trial(cell: DrivenCell, properties: tuple[Property, ...], seed: int) -> Trial:
    """Make the trial of properties that the small cell keeps, and of parameters that have an influence in it.

    Args:
        cell: The small cell.
        properties: What is tried.
        seed: The seed of the numbers.

    Raises:
        Refused: The cell exists for fixed sizes alone.
    """
    if cell.capabilities.fixed_sizes is not None:
        raise Refused("it exists for fixed sizes alone")

    small_arguments = Draw(cell, seed).arguments(USED_STEPS)
    unused_in_small = set(unused_parameters(cell, small_arguments))
    kept = tuple(prop for prop in properties if not isinstance(_result(prop, Draw(cell, seed)), Violation))

    def trial(size: TriedSize) -> Violation | None:
        try:
            large = of_size(cell, *size)
        except Exception as error:  # a constructor may refuse a size
            raise NotRun(f"it cannot be made for n = {size.input_size}, d = {size.hidden_size}: {error}") from None
        results = (_result(prop, Draw(large, seed)) for prop in kept)
        violation = next((result for result in results if isinstance(result, Violation)), None)
        return violation or _violation_of_unused(cell, large, unused_in_small, seed)

    return trial


def _violation_of_unused(
    small: DrivenCell, large: DrivenCell, unused_in_small: set[str], seed: int
) -> Violation | None:
    """Name the parameters that have an influence in the small cell, and none in the large one."""
    unused = set(unused_parameters(large, Draw(large, seed).arguments(USED_STEPS)))
    lost = [name for name in large.parameters if name in unused - unused_in_small]
    lost = [name for name in lost if _is_beyond_rounding(small, name, seed) and not _fades(small, large, name, seed)]
    if not lost:
        return None
    verb = "has" if len(lost) == 1 else "have"
    return Violation("forward: parameters", f"{', '.join(lost)} {verb} no influence on anything that comes back")


def _is_beyond_rounding(small: DrivenCell, name: str, seed: int) -> bool:
    """Whether a parameter changes more than rounding: a bias in front of a softmax over steps does not."""
    return _influence(small, name, seed) > STRUCTURAL["float64"]


def _fades(small: DrivenCell, large: DrivenCell, name: str, seed: int) -> bool:
    """Whether the influence of a parameter grows little by little less with the size, until rounding hides it."""
    full = _influence(small, name, seed)
    input_size, hidden_size = large.input_size // 2, large.hidden_size // 2
    while input_size > small.input_size or hidden_size > small.hidden_size:
        sizes = max(input_size, small.input_size), max(hidden_size, small.hidden_size)
        influence = _influence(of_size(small, *sizes), name, seed)
        if influence:
            return influence < FADED * full
        input_size, hidden_size = input_size // 2, hidden_size // 2
    return False


def _influence(cell: DrivenCell, name: str, seed: int) -> float:
    """By which share of what comes back a moved parameter changes it."""
    arguments = Draw(cell, seed).arguments(USED_STEPS)
    moved = {
        **cell.parameters,
        name: cell.parameters[name] + MOVE * (1 + cell.normal(seed, *cell.parameters[name].shape).abs()),
    }
    pairs = zip(cell.raw_results(arguments, moved), cell.raw_results(arguments, cell.parameters), strict=True)
    shares = (relative_gap(changed.double(), still.double()) for changed, still in pairs if changed.numel())
    return max(shares, default=0.0)


def _result(prop: Property, draw: Draw) -> Violation | Note | None:
    """What a property gives; None where it cannot be tried."""
    try:
        return prop.decide(draw)
    except NotRun:
        return None
    except Exception as error:
        if not is_raised_by_target(error):
            raise
        return None
