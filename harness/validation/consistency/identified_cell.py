"""A cell that its equations describe: what they do not say of it is asked, and what its checks do not reach."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rnn_harness.errors import Refused, named_error
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.kernels.checks.scale import judge_at
from rnn_harness.kernels.judge import kernel_cases
from rnn_harness.kernels.torch_reference import TorchReference
from rnn_harness.records.validation import CONSISTENCY
from rnn_harness.validation.consistency.budget import Budget
from rnn_harness.validation.consistency.consistency_property import Violation
from rnn_harness.validation.consistency.driven_cell import DrivenCell, make_cell, of_size
from rnn_harness.validation.consistency.large_batches import violation_of_large_batches
from rnn_harness.validation.consistency.large_sizes import Trial, TriedSize, violation_of_large_sizes
from rnn_harness.validation.consistency.long_gradients import violation_of_long_gradients
from rnn_harness.validation.consistency.parameter_properties import unused_parameters
from rnn_harness.validation.consistency.question import Answer, AskedCell, Question, answers, property_question, unasked
from rnn_harness.validation.consistency.real_arithmetic import with_real_arithmetic
from rnn_harness.validation.consistency.unknown_cell import PROPERTIES
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.request import ValidationRequest

SECONDS = 1.5
"""What all questions may take in one dtype."""
SMALL_BATCH, PIECE = 7, 47
"""Rows of the batches, and steps of the pieces, that large ones are compared with: its checks reach 33 and 131."""
LARGE_BATCHES = (130, 1024)
SMALL = TriedSize(5, 3)
PROPERTY_CHECKS = tuple(
    f"{CONSISTENCY}{name}"
    for name in (
        *(prop.name for prop in PROPERTIES if prop.for_identified),
        "large-batches",
        "large-sizes",
        "long-gradients",
    )
)
"""The ids of the records."""
STATE_WORDS = {"h": "hidden state", "c": "cell state"}


def judge_identified(kernel: Kernel, wider: tuple[Kernel, ...], request: ValidationRequest) -> Iterator[Answer]:
    """Ask of a cell what its equations do not say.

    Args:
        kernel: The cell.
        wider: The same cell, with what else it may round as a right one.
        request: What is asked for: the dtypes, and the seed for the records.
    """
    for setting in kernel.settings:
        cell = kernel.subject(setting).cell
        assert isinstance(cell, TorchReference), "a candidate is driven as a kernel"
        assert isinstance(cell.driver, TargetDriver), "these questions are for candidates"
        asked = AskedCell(kernel.id, kernel.spec, kernel.spec, setting.dtype, request.seed)
        try:
            small = _small_cell(setting, cell.driver)
        except Exception as error:  # a target may raise anything
            yield from answers([unasked("large-batches", f"it cannot be run: {named_error(error)}")], asked)
            continue
        if small.arithmetic:
            is_widest = setting.dtype == request.widest_dtype(small.capabilities.dtypes)
            yield from answers(_questions((kernel, *wider), setting, small, is_widest), asked)


def _small_cell(setting: Setting, driver: TargetDriver) -> DrivenCell:
    """Make the cell in a small size."""
    sizes = driver.capabilities.fixed_sizes or SMALL
    states = tuple(STATE_WORDS.get(name, f"state {name}") for name in driver.state_names)
    cell = make_cell(driver.make_module, driver.capabilities, driver.convention, sizes, setting.dtype, states)
    return with_real_arithmetic(cell)


def _questions(forms: tuple[Kernel, ...], setting: Setting, cell: DrivenCell, is_widest: bool) -> Iterator[Question]:
    """Yield the questions, from small sizes to large ones."""
    budget = Budget(SECONDS)
    for prop in PROPERTIES:
        if prop.for_identified and is_widest:
            yield property_question(prop, cell)
    yield Question(
        "large-batches", lambda seed: violation_of_large_batches(cell, seed, budget, SMALL_BATCH, LARGE_BATCHES), 2
    )
    if is_widest:
        yield Question("large-sizes", lambda _: _violation_of_sizes(forms, setting, cell, budget), 1)
        yield Question("long-gradients", lambda seed: violation_of_long_gradients(cell, seed, budget, PIECE), 2)


def _violation_of_sizes(
    forms: tuple[Kernel, ...], setting: Setting, cell: DrivenCell, budget: Budget
) -> Violation | None:
    """Compare with the equations at large sizes. Raises NotRun if small ones are wrong already."""
    if forms[0].fixed_sizes:
        raise Refused("it exists for fixed sizes alone")
    trial = _equation_trial(forms, setting, cell)
    if (violation := trial(SMALL)) is not None:
        raise Refused(f"it differs at small sizes already: {violation.sentence}")
    return violation_of_large_sizes(SMALL, trial, budget)


def _equation_trial(forms: tuple[Kernel, ...], setting: Setting, cell: DrivenCell) -> Trial:
    """Make the trial that compares a cell of some size with its equations, within the bound of any of its forms."""
    case = kernel_cases(forms[0], setting)[0]

    def trial(size: TriedSize) -> Violation | None:
        sizes = {"n": size.input_size, "d": size.hidden_size, "B": 2, "T": 2}
        changed = case.model_copy(update={**sizes, "features": ()})
        findings = (judge_at(kernel.evaluation(setting, changed), changed) for kernel in forms)
        wrong = list(itertools.takewhile(lambda finding: not finding.agrees, findings))
        if len(wrong) < len(forms):
            return None
        deviation = wrong[0].detail
        part = "backward" if "gradient" in deviation else "forward"
        large = of_size(cell, *size)
        unused = unused_parameters(large, large.arguments(2, 2))
        reason = f"; {', '.join(unused)} without influence there" if unused else ""
        return Violation(f"{part}: large sizes", f"{deviation}{reason}")

    return trial
