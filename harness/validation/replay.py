"""Run a recorded check once more, on the case that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rnn_harness.cases.case import Case
from rnn_harness.checks import all_checks
from rnn_harness.checks.check import Finding, worst_finding
from rnn_harness.engine.runner import run_check
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels import Kernel, all_kernels
from rnn_harness.records.events import RecordMade
from rnn_harness.records.record import Record
from rnn_harness.records.validation import IDENTIFICATION_CHECK
from rnn_harness.specs import Spec, library
from rnn_harness.subjects.subject import Subject
from rnn_harness.validation.identification.identify import identify
from rnn_harness.validation.judging.candidate_judge import judge_forms
from rnn_harness.validation.judging.candidate_kernel import candidate_kernel
from rnn_harness.validation.judging.own_specs import spec_of_definition
from rnn_harness.validation.judging.spec_file import spec_file_candidate
from rnn_harness.validation.judging.validate import run_validation
from rnn_harness.validation.loading.device import on_device
from rnn_harness.validation.loading.options import read_options
from rnn_harness.validation.loading.target import Target, load_target
from rnn_harness.validation.replayed_numbers import COMPARED_CHECKS
from rnn_harness.validation.request import ValidationRequest
from rnn_harness.validation.returned_numbers import GeneratedFrom, NumbersReturned, numbers_of_cases

_DTYPES = ("float64", "float32", "bfloat16", "float16")
"""What a candidate may be judged in again: the case of a record says which."""


@dataclass(frozen=True)
class _KernelKey:
    """What names a kernel or a candidate.

    Attributes:
        name: Its name.
        options: The options of its constructor.
        definition: The spec file that it is held against; empty for a shipped spec.
        device: Where it computes.
    """

    name: str
    options: tuple[str, ...]
    definition: str
    device: str


@dataclass(frozen=True)
class _Loaded:
    """A kernel or a candidate.

    Attributes:
        kernel: What is judged.
        generated: What its spec was written from, if it was.
        is_shipped: Whether it is a kernel of this package.
    """

    kernel: Kernel
    generated: GeneratedFrom | None = None
    is_shipped: bool = False


@dataclass(frozen=True)
class Replayed:
    """What came of a record.

    Attributes:
        finding: What its check finds now.
        numbers: What a candidate gave on its case, where its check is one of `COMPARED_CHECKS` and agrees.
    """

    finding: Finding
    numbers: NumbersReturned | None = None


@dataclass(frozen=True)
class Replay:
    """Checks that are run again; each kernel and each candidate is loaded once."""

    _loaded: dict[_KernelKey, _Loaded] = field(default_factory=dict)

    def of(self, record: Record) -> Replayed:
        """Run the check of a record on its case.

        Args:
            record: The record; where its subject is a candidate, the candidate's code runs in this process.

        Raises:
            NotRun: It rests on no case, or its subject cannot be loaded again.
            UsageError: The candidate cannot be loaded as it is named.
        """
        if record.check == IDENTIFICATION_CHECK:
            return Replayed(_identify_again(record))
        if record.case is None:
            raise NotRun("it rests on no case")
        replayed = self._of_candidate(record, record.case) if record.kernel else _replay_reference(record)
        if replayed is None:
            raise NotRun(f"there is no check {record.check}")
        return replayed

    def _of_candidate(self, record: Record, case: Case) -> Replayed | None:
        """Run the check of a kernel or a candidate; None where there is no such check any more. Raises NotRun."""
        loaded, case = self._loaded_for(record), case.model_copy(update={"dtype": record.dtype})
        judged = judge_forms(loaded.kernel, record.check, case)
        if judged is None:
            return None
        finding, form = judged
        if loaded.is_shipped or not finding.agrees or record.check not in COMPARED_CHECKS:
            return Replayed(finding)
        setting = next((setting for setting in form.settings if setting.dtype == case.dtype), form.settings[0])
        return Replayed(finding, numbers_of_cases(form, setting, (case,), loaded.generated))

    def _loaded_for(self, record: Record) -> _Loaded:
        """Return the kernel or the candidate of a record. Raises NotRun."""
        key = _KernelKey(record.kernel, record.init, record.definition, _device_of(record))
        if key not in self._loaded:
            self._loaded[key] = _load_kernel(key)
        return self._loaded[key]


def _replay_reference(record: Record) -> Replayed | None:
    """Run the check of a reference's record on its case; None where there is no such check any more."""
    check = next((check for check in all_checks() if check.name == record.check), None)
    if check is None or record.case is None:
        return None
    subject = Subject.of(library().spec(record.spec))
    return Replayed(worst_finding(run_check(check, Evaluation.of(subject, record.case))))


def _device_of(record: Record) -> str:
    """Return where a candidate computed, by torch's name: what follows in a record names the hardware."""
    return record.device.partition(" ")[0] or "cpu"


def _load_kernel(key: _KernelKey) -> _Loaded:
    """Return the kernel or the candidate of a name. Raises NotRun where it is no known cell any more."""
    shipped = next((kernel for kernel in all_kernels() if kernel.id == key.name), None)
    if shipped is not None:
        return _Loaded(shipped, is_shipped=True)
    own_spec = spec_of_definition(key.definition) if key.definition else None
    target = _load_candidate(key.name, key.options, key.device, own_spec)
    if own_spec is not None:
        return _Loaded(spec_file_candidate(target, own_spec, _DTYPES).kernel)
    matches = identify(target)
    if not matches:
        raise NotRun(f"{key.name} equals no cell that is known")
    match = matches[0]
    generated = GeneratedFrom(match.model, match.assignment.names) if match.spec is None else None
    return _Loaded(candidate_kernel(target, match), generated)


def _load_candidate(name: str, options: Sequence[str], device: str, spec: Spec | None) -> Target:
    """Load a candidate as it was loaded for its record."""
    state_names = () if spec is None else tuple(spec.model.states)
    return on_device(load_target(name, read_options(list(options)), state_names=state_names), device)


def _identify_again(record: Record) -> Finding:
    """Identify a candidate again. Raises NotRun."""
    own_spec = spec_of_definition(record.definition) if record.definition else None
    target = _load_candidate(record.kernel, record.init, _device_of(record), own_spec)
    if own_spec is not None:
        candidate = spec_file_candidate(target, own_spec, _DTYPES)
        return Finding(record.spec, candidate.match is not None, candidate.sentence)
    spec = record.spec if "auto" not in record.spec and record.spec not in ("unknown", "candidate") else "auto"
    for event in run_validation(target, ValidationRequest(spec=spec)):
        if isinstance(event, RecordMade):
            return Finding(event.record.entry, event.record.outcome == "agrees", event.record.reason)
    raise NotRun("it was not identified")
