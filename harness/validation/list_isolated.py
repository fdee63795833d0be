"""The cells of a file, a folder or a module, found in a worker: what is imported there does nothing to this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from rnn_harness.errors import HarnessError, UsageError, first_line
from rnn_harness.runtime import this_process
from rnn_harness.runtime.worker import Ending, Send, WorkerEnded, run_in_worker
from rnn_harness.validation.isolation import LONGEST_SEARCH, WrongUse, load_requested, refusal, run_with_limits
from rnn_harness.validation.request import Limits, ValidationRequest
from rnn_harness.validation.worker_endings import WorkFailed

CandidateKind = Literal["cell", "model", "not driven", "not recurrent"]


def is_collection(target: str) -> bool:
    """Say whether a target names a file, a folder or a module, and nothing in it.

    Args:
        target: The target as it was typed.
    """
    return bool(target) and ":" not in target and not target.endswith(".onnx")


@dataclass(frozen=True)
class ListedCandidate:
    """What may be a cell, and whether it is.

    Attributes:
        target: It, as a user would type it.
        kind: ``cell`` if it can be driven as one, or its layout is at fault; ``model`` if it has recurrent parts;
            ``not driven`` if it takes something like a state, but cannot be driven; else ``not recurrent``.
        sentence: How it is called, or why it cannot be driven.
    """

    target: str
    kind: CandidateKind
    sentence: str


@dataclass(frozen=True)
class CandidatesFound:
    """What there is to be tried.

    Attributes:
        targets: Each as a user would type it.
        problems: What could not be loaded, each with the reason.
    """

    targets: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class CellList:
    """The cells of a place.

    Attributes:
        candidates: Everything that was tried.
        problems: What could not be loaded, each with the reason.
    """

    candidates: tuple[ListedCandidate, ...]
    problems: tuple[str, ...]

    @property
    def recurrent(self) -> tuple[ListedCandidate, ...]:
        """Those that are judged: all but what shows nothing of a recurrent cell."""
        return tuple(candidate for candidate in self.candidates if candidate.kind != "not recurrent")


_Message = CandidatesFound | ListedCandidate | WrongUse | WorkFailed
_MESSAGE_TYPES: tuple[type[_Message], ...] = (CandidatesFound, ListedCandidate, WrongUse, WorkFailed)


def list_cells(request: ValidationRequest, limits: Limits) -> CellList:
    """List the cells of a file, a folder or a module.

    Args:
        request: Its target names the place; its options, adapter and memory count as well.
        limits: How long it may take.

    Raises:
        UsageError: There is no such place, it cannot be loaded, or nothing in it may be a cell.
        HarnessError: The harness itself raised an error before anything was listed.
    """
    found = CandidatesFound((), ())
    listed: list[ListedCandidate] = []
    deadline = time.monotonic() + limits.total
    memory = request.memory_limit
    for message in run_in_worker(
        _list_in_worker, request, _MESSAGE_TYPES, LONGEST_SEARCH, deadline, limits.case, request.is_confined, memory
    ):
        match message:
            case WrongUse() | WorkerEnded(Ending.NOT_CONFINED):
                raise UsageError(refusal(message, request))
            case CandidatesFound():
                found = message
            case ListedCandidate():
                listed.append(message)
            case WorkFailed(reason, traceback_text) if not found.targets:
                raise HarnessError(reason, traceback_text)
            case WorkerEnded() if not found.targets:
                raise UsageError(f"{request.target}: {message} while its cells were listed")
            case WorkFailed() | WorkerEnded() if len(listed) < len(found.targets):
                reason = message.reason if isinstance(message, WorkFailed) else f"{message} while it was tried"
                listed.append(ListedCandidate(found.targets[len(listed)], "not driven", reason))
            case _:
                pass
    remaining = found.targets[len(listed) :]
    listed += [ListedCandidate(target, "not driven", "not tried: the process ended before") for target in remaining]
    if not listed:
        problems = "".join(f"\n  {problem}" for problem in found.problems)
        raise UsageError(f"there is nothing in {request.target} that may be a recurrent cell{problems}")
    return CellList(tuple(listed), found.problems)


def _list_in_worker(send: Send[_Message | WorkerEnded], request: ValidationRequest) -> None:
    """Do the worker's work; what the targets print goes to standard error."""
    this_process.join_standard_output_to_errors()

    def send_all() -> None:
        for message in _candidates(request):
            send(message)

    run_with_limits(send, request, send_all)


def _candidates(request: ValidationRequest) -> Iterator[CandidatesFound | ListedCandidate]:
    """Yield what there is to be tried, then each with what it is."""
    from rnn_harness.validation.loading.adapters import choose_backend
    from rnn_harness.validation.loading.candidates import list_candidates

    choose_backend()
    candidates = list_candidates(request.target)
    yield CandidatesFound(candidates.targets, candidates.problems)
    for target in candidates.targets:
        yield _tried(replace(request, target=target))


def _tried(request: ValidationRequest) -> ListedCandidate:
    """Try a candidate: as a cell, then as a model."""
    from rnn_harness.validation.identification.probe import probe_target
    from rnn_harness.validation.loading.candidates import shows_state
    from rnn_harness.validation.loading.layout_faults import WrongLayout
    from rnn_harness.validation.models.understand import understood_model

    try:
        target = load_requested(request)
        try:
            probe = probe_target(target)
            if not probe.carries_over():
                return ListedCandidate(request.target, "not recurrent", "no step reaches the next")
            return ListedCandidate(request.target, "cell", str(probe.convention))
        except WrongLayout as fault:
            return ListedCandidate(request.target, "cell", str(fault))
        except UsageError as error:
            parts = understood_model(target, error).parts
            names = ", ".join(part.name or "itself" for part in parts) or "none by name"
            return ListedCandidate(request.target, "model", f"its recurrent parts: {names}")
    except UsageError as error:
        kind: CandidateKind = "not driven" if shows_state(request.target) else "not recurrent"
        return ListedCandidate(request.target, kind, first_line(error))
