"""The descriptions of all checks: the sentences stand with the functions that decide, as their docstrings."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator

from rnn_harness.check_guide.bounds_in_words import OF_PROPERTIES, bound_of
from rnn_harness.check_guide.check_description import CheckDescription
from rnn_harness.check_guide.single_checks import ENTRY_CHECKS, TARGET_CHECKS
from rnn_harness.checks import Check, all_checks
from rnn_harness.checks.metamorphic import PROPERTIES as METAMORPHIC_PROPERTIES


@functools.cache
def describe_checks() -> dict[str, CheckDescription]:
    """Describe every check by its name: of the documents, of references, of kernels and of candidates."""
    descriptions = (
        *ENTRY_CHECKS,
        *_fact_descriptions(),
        *_reference_descriptions(),
        *_kernel_descriptions(),
        *TARGET_CHECKS,
        *_consistency_descriptions(),
        *_wiring_descriptions(),
    )
    by_name: dict[str, CheckDescription] = {}
    for description in descriptions:
        by_name.setdefault(description.name, description)
    return by_name


def _first_sentence(function: Callable[..., object]) -> str:
    """Return the first paragraph of a docstring on one line."""
    text = inspect.getdoc(function) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _describe(check: Check) -> CheckDescription:
    """Describe a check by the docstring of the function that decides it."""
    summary = _first_sentence(check.run)
    return CheckDescription(
        check.name, summary, bound_of(check.name), "", check.witness, check.dtypes, kills=check.kills
    )


def _fact_descriptions() -> Iterator[CheckDescription]:
    """Describe the facts that decide claims."""
    from rnn_harness.checks.facts import facts

    for fact in facts():
        summary = f"Compute whether this holds: {fact.name}. Its opposite must not."
        yield CheckDescription(fact.name, summary, "none: it is computed exactly", witness="reference")


def _reference_descriptions() -> Iterator[CheckDescription]:
    """Describe forward, backward and the metamorphic properties."""
    properties = {entry.check: entry for entry in METAMORPHIC_PROPERTIES}
    for check in all_checks():
        entry = properties.get(check.name)
        if entry is None:
            yield _describe(check)
            continue
        summary = f"{entry.title[:1].upper()}{entry.title[1:]}."
        detail = _first_sentence(entry.comparisons).removeprefix(f"{entry.ledger}: ")
        bound = OF_PROPERTIES[entry.exactness]
        yield CheckDescription(check.name, summary, bound, detail, check.witness, check.dtypes, check.kills)


def _kernel_descriptions() -> Iterator[CheckDescription]:
    """Describe what is asked of kernels, and of candidates that stand in the place of one."""
    from rnn_harness.kernels.judge import KERNEL_CHECKS, SINGLE_CASE_CHECKS
    from rnn_harness.validation.judging.usage_checks import USAGE_CHECKS

    yield from map(_describe, (*KERNEL_CHECKS, *SINGLE_CASE_CHECKS, *USAGE_CHECKS))


def _consistency_descriptions() -> Iterator[CheckDescription]:
    """Describe the properties of every recurrent cell."""
    from rnn_harness.validation.consistency.unknown_cell import PROPERTIES

    for prop in PROPERTIES:
        name = f"consistency.{prop.name}"
        yield CheckDescription(name, _first_sentence(prop.decide), bound_of(name), witness="kernel")


def _wiring_descriptions() -> Iterator[CheckDescription]:
    """Describe the checks of a model's wiring."""
    from rnn_harness.validation.models.judge_model import WIRING_CHECKS_BY_NAME

    for short_name, check in WIRING_CHECKS_BY_NAME.items():
        name = f"wiring.{short_name}"
        yield CheckDescription(name, _first_sentence(check), bound_of(name), witness="kernel")
