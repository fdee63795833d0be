"""Is it right? What it is, then every check of a kernel on the candidate in the place of one; then what is wrong.

Dimension legend: n input size, d hidden size, B batch rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnn_harness.cases.case import Case
from rnn_harness.checks.check import Finding, worst_finding
from rnn_harness.engine.runner import run_check
from rnn_harness.errors import UsageError
from rnn_harness.kernels import Kernel, judge_kernels
from rnn_harness.kernels.judge import SINGLE_CASE_CHECKS, kernel_checks
from rnn_harness.kernels.setting import settings
from rnn_harness.records.provenance import versions
from rnn_harness.records.record import Record
from rnn_harness.records.validation import Diagnosis, Event, IdentificationRecord
from rnn_harness.records.verdict import Outcome
from rnn_harness.specs import library
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.diagnosis.explain import (
    explain_divergence,
    explain_faults,
    explain_map,
    explain_unused,
    explain_variant,
)
from rnn_harness.validation.diagnosis.localise import localise_fault
from rnn_harness.validation.diagnosis.nearest import agrees_at_zero, identify_faulty
from rnn_harness.validation.identification.identify import Identification, cell_model_of, identify, target_layouts
from rnn_harness.validation.identification.probe import Probe, probe_target
from rnn_harness.validation.judging.describe import example, identified
from rnn_harness.validation.judging.expected_failures import Expected, excused, unmet
from rnn_harness.validation.judging.generated_spec import alternative_ids, generate_spec, with_alternative_update
from rnn_harness.validation.judging.spec_file import load_paper, paper_kernel
from rnn_harness.validation.judging.trained_weights import load_weights, weights_check
from rnn_harness.validation.judging.usage_checks import FOREIGN, MANNERS, SMALL
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.reproduction.smallest import smallest

DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class ValidationRequest:
    """What a validation is asked for. `spec`: an id, a spec file of one's own, or ``auto``. `map`: a saved one.

    `examples`: cases that Hypothesis draws. `options`: those the target was made with, for programs. `weights`: a file
    of weights to try besides. `expected`: failures that are known. `whole`: nobody else tries other dtypes, so that one
    which does not happen is an error.
    """

    spec: str = "auto"
    seed: int = 0
    examples: int = 5
    dtypes: tuple[str, ...] = DTYPES
    map: Identification | None = None
    options: tuple[tuple[str, Any], ...] = ()
    weights: Path | None = None
    expected: tuple[Expected, ...] = ()
    whole: bool = True


@dataclass(frozen=True)
class ProgressListener:
    """Who is told: `on_start` a phase, `on_case` every case. `known`: records that are not made again."""

    on_start: Callable[[str], None] = lambda _: None
    on_case: Callable[[], None] = lambda: None
    known: tuple[tuple[str, Record], ...] = ()


def candidate(target: Target, match: Identification, dtypes: tuple[str, ...] = DTYPES) -> Kernel:
    """The candidate as a kernel of the spec it was identified as: a shipped one, or one written for it."""
    names = frozenset(name for _, (name, _) in match.assignment.names)
    if match.spec is None:
        spec = generate_spec(match.model, names)
    else:
        spec = with_alternative_update(library().spec(match.spec), match.model)
    absent = match.absent if match.spec is not None else tuple(one for one in match.absent if "." in one)
    driver = TargetDriver(
        target.make_module,
        match.convention,
        match.assignment.table,
        match.states,
        target.capabilities,
        absent,
    )
    sizes = target.capabilities.fixed_sizes
    return Kernel(
        target.name,
        match.sentence(),
        spec.id,
        lambda _: driver,
        settings(tuple(dtype for dtype in dtypes if dtype in target.capabilities.dtypes)),
        alternatives=alternative_ids(spec),
        fixed_sizes=None if sizes is None else {"n": sizes.input_size, "d": sizes.hidden_size, "B": 2},
        metamorphic=not absent and not target.capabilities.absolute_function_error,
        custom_spec=spec,
        own_checks=MANNERS,
        skipped_checks=(*SMALL, *(FOREIGN if target.capabilities.library else ())),
        shrinks_refutations=False,
        profiled=False,
        absolute_function_error=target.capabilities.absolute_function_error,
    )


def validating(target: Target, wish: ValidationRequest, watch: ProgressListener | None = None) -> Iterator[Event]:
    """What the target is, then whether it is right; events come as they are made (see `Event`).

    Raises UsageError if the target cannot be driven, or if nothing can be held against it.
    """
    watch = watch or ProgressListener()
    watch.on_start(f"{target.name}: what is it?")
    if wish.spec.endswith(".toml"):
        yield from _judged(target, paper_kernel(target, load_paper(wish.spec), wish.dtypes), wish, watch, None)
        return
    seen = probe_target(target)
    unsteady = _unsteady(seen)
    if unsteady is not None:
        yield "record", _record(target, wish, "unknown", Outcome.REFUTED, unsteady.difference)
        yield "diagnosis", unsteady
        return
    matches = identify(target, seen) if wish.map is None else _mapped(target, seen, wish.map)
    expected, name = _expected(target, wish)
    told = identified(matches)
    yield "identified", told
    wanted = [one for one in matches if _is(one, expected, wish)]
    if wanted:
        yield "record", _record(target, wish, wanted[0].spec or "candidate", Outcome.AGREES, told.sentence)
        kernel = candidate(target, wanted[0], wish.dtypes)
        yield from _judged(target, kernel, wish, watch, wanted[0])
        return
    for kind, value in _wrong(target, seen, matches, expected, name, wish):
        yield kind, next(excused((value,), wish.expected)) if kind == "record" else value


def _is(match: Identification, expected: CellModel | None, wish: ValidationRequest) -> bool:
    if match.unused:
        return False
    if expected is None:
        return True
    if wish.spec != "auto" and match.spec is not None:
        return match.spec == wish.spec
    return match.model == expected


def _expected(target: Target, wish: ValidationRequest) -> tuple[CellModel | None, str]:
    """What it should be, and what to call that: the spec asked for, or what it says it is."""
    if wish.spec not in ("auto", *(one.id for one in library().specs)):
        near = ", ".join(library().nearest(wish.spec))
        raise UsageError(f"there is no spec {wish.spec!r}{f'; did you mean {near}?' if near else ''}")
    if wish.spec != "auto":
        return cell_model_of(library().spec(wish.spec)), wish.spec
    if wish.map is not None:
        return wish.map.model, wish.map.spec or "the cell of the map"
    return target.declared_model, "what it says it is" if target.declared_model is not None else ""


def _mapped(target: Target, seen: Probe, given: Identification) -> tuple[Identification, ...]:
    """The map's match if it holds, else what is identified without it."""
    from rnn_harness.validation.identification.decode import Decoder

    lacking = sorted({name for name, _ in given.assignment.layout.forms} - set(seen.parameters))
    if not lacking:
        decoder = Decoder(seen, given.assignment.layout, given.model, given.states)
        run = decoder.predict(dict(given.assignment.names), len(seen.inputs))
        if decoder.agree(seen.whole(), run):
            return (replace(given, convention=seen.convention),)
    return ()


def _unsteady(seen: Probe) -> Diagnosis | None:
    """NaN out of finite numbers; its arguments after the call; the same call twice, and a row alone: what gives other
    numbers is no function of its arguments.
    """
    if seen.gives_nan():
        difference = "it gives NaN for finite parameters, inputs and states of ordinary size"
        return Diagnosis(spec="a recurrent cell", part="forward: outputs", difference=difference)
    if written := seen.writes_into():
        difference = f"it writes into the {written} that it is given, so whoever kept it has other numbers afterwards"
        return Diagnosis(spec="a recurrent cell", part="behaviour: intact", difference=difference)
    if seen.overwrites():
        difference = "what it gave back is overwritten by its next call: it returns memory that it goes on using"
        return Diagnosis(spec="a recurrent cell", part="behaviour: intact", difference=difference)
    if not seen.same(seen.whole(), seen.whole()):
        difference = "the same call twice gives other numbers: it keeps a state between calls, or draws random ones"
        return Diagnosis(spec="a recurrent cell", part="behaviour: determinism", difference=difference)
    if not seen.rows_are_apart():
        difference = (
            "a row's state depends on the other rows of the batch: the rows of a batch are mixed (or the first axis of "
            "its state is something else, layers say: what is judged here is one layer, with state (B, d))"
        )
        return Diagnosis(spec="a recurrent cell", part="behaviour: position", difference=difference)
    return None


def _wrong(
    target: Target,
    seen: Probe,
    matches: tuple[Identification, ...],
    expected: CellModel | None,
    name: str,
    wish: ValidationRequest,
) -> Iterator[Event]:
    """It is not what it should be, or nothing known."""
    possible = target_layouts(target, seen)
    near: list[Identification] = []
    others = identify(target, seen) if wish.map is not None else ()
    if others and wish.map is not None and others[0].model == wish.map.model:
        diagnosis: Diagnosis | None = explain_map(others[0], wish.map)
    elif matches and not matches[0].unused:
        assert expected is not None, "a match was not wanted"
        diagnosis = explain_variant(matches[0], expected, name)
    else:
        near = identify_faulty(seen, possible, expected)
        unused = explain_unused(matches[0]) if matches else None
        diagnosis = explain_faults(near[0]) if near else unused or explain_divergence(seen, possible, expected, name)
    # What stands in one parameter may be stacked in a way that nobody knows; only where all are zero it matters not.
    stacked = any(gate_block.of > 1 for layout in possible for gate_block in layout.gate_blocks)
    other = expected is not None and not (stacked and agrees_at_zero(seen, possible, expected))
    sure = bool(matches or near or others) or other
    spec = (near[0].spec if near else None) or (wish.spec if wish.spec != "auto" else "unknown")
    reason = diagnosis.sentence() if diagnosis is not None else "it equals no cell that is known"
    if not sure:
        nearest = f". Nearest: {diagnosis.sentence()}" if diagnosis is not None else ""
        if expected is None:
            reason = f"unknown: it equals no cell that is known{nearest}; give what it should be with --spec"
        else:
            reason = f"unknown: it equals {name} in no layout of its parameters that is known{nearest}"
    yield "record", _record(target, wish, spec, Outcome.REFUTED if sure else Outcome.NOT_RUN, reason)
    if diagnosis is not None:
        yield "diagnosis", diagnosis
    if near:
        right = replace(near[0], model=replace(near[0].model, faults=()))
        found = smallest(candidate(target, right), target.name, dict(wish.options))
        if found is not None:
            yield "counterexample", example(found)


def _judged(
    target: Target, kernel: Kernel, wish: ValidationRequest, watch: ProgressListener, match: Identification | None
) -> Iterator[Event]:
    """Every check, and what is wrong if one is refuted."""
    if match is None:
        reason = f"not identified: {kernel.title}"
        yield "identified", IdentificationRecord(answer="unique", spec=kernel.spec, sentence=kernel.title)
        yield "record", _record(target, wish, kernel.spec, Outcome.NOT_RUN, reason)
    if wish.weights is not None:
        kernel = replace(kernel, own_checks=(*kernel.own_checks, weights_check(load_weights(wish.weights))))
    records: list[Record] = []
    known = dict(watch.known)
    made = judge_kernels((kernel,), wish.seed, wish.examples, known, watch.on_start, watch.on_case)
    for record in excused(made, wish.expected):
        records.append(record)
        yield "record", record
    left = unmet(records, wish.expected, target.name, wish.seed) if wish.whole else ()
    for record in (*_stored(kernel, wish, records), *left):
        records.append(record)
        yield "record", record
    found = localise_fault(kernel, [record for record in records if not record.expected])
    if found is not None:
        watch.on_start(f"{target.name}: what is wrong?")
        yield "diagnosis", found
        shown = smallest(kernel, target.name, dict(wish.options))
        if shown is not None:
            yield "counterexample", example(shown)


def _stored(kernel: Kernel, wish: ValidationRequest, records: list[Record]) -> Iterator[Record]:
    """Known failures with a case of their own: it must still be refuted there."""
    for one in wish.expected:
        own = next((r for r in records if one.means(r.check, r.dtype)), None)
        if one.case is None or own is None:
            continue
        finding = again(kernel, own.check, one.case)
        if finding is not None and finding.agrees:
            reason = f"{one.check} was expected to fail on the stored case ({one.reason}), but it agrees there now"
            update = {"check": f"expected-failure.{one.check}.case", "outcome": Outcome.REFUTED, "reason": reason}
            yield own.model_copy(update={**update, "case": one.case, "expected": ""})


def again(kernel: Kernel, name: str, case: Case) -> Finding | None:
    """One check on one case; None if the kernel has no such check. Raises NotRun."""
    checks = {one.name: one for one in (*kernel_checks(), *SINGLE_CASE_CHECKS, *kernel.own_checks)}
    if name not in checks:
        return None
    setting = next((one for one in kernel.settings if one.dtype == case.dtype), kernel.settings[0])
    return worst_finding(run_check(checks[name], kernel.evaluation(setting, case)))


def _record(target: Target, wish: ValidationRequest, spec: str, outcome: Outcome, reason: str) -> Record:
    return Record(
        entry=spec,
        spec=spec,
        check="identification.unique",
        witness="kernel",
        outcome=outcome,
        reason=reason,
        examples=1,
        seed=wish.seed,
        environment=versions(),
        kernel=target.name,
    )
