"""Judge mutants with a progress bar, in one process or in several; the results are written as they come."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_harness.cli._progress import progress_bar
from rnn_harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from rnn_harness.mutants import Mutant
    from rnn_harness.records.kill_matrix import MutantResult
    from rnn_harness.runtime.worker_pool import WorkerPool


def judge_with_progress(
    mutants: Sequence[Mutant],
    known: Sequence[MutantResult],
    pool: WorkerPool,
    on_result: Callable[[Sequence[MutantResult]], None],
) -> list[MutantResult]:
    """Judge the mutants of which no result is known, or whose result depends on what has changed.

    Args:
        mutants: What is judged.
        known: Results of an earlier run.
        pool: Where the work is done.
        on_result: Called after each with all results until then, in the order of the mutants.

    Returns:
        The result of every mutant, in their order.

    Raises:
        HarnessError: The process died that judged one.
    """
    from rnn_harness.mutants import judge_mutant
    from rnn_harness.runtime.worker_pool import PoolCall, run_calls

    digests = {mutant.name: mutant_digest(mutant) for mutant in mutants}
    results = {result.mutant: result for result in known if result.depends_on == digests.get(result.mutant)}
    pending = [mutant for mutant in mutants if mutant.name not in results]
    calls = [
        PoolCall(functools.partial(judge_mutant, mutant), functools.partial(_died, mutant.name)) for mutant in pending
    ]
    with progress_bar(len(pending)) as on_end:
        for number, result in run_calls(calls, pool):
            name = pending[number].name
            on_end(f"{name}: done")
            results[name] = result.model_copy(update={"depends_on": digests[name]})
            on_result([results[mutant.name] for mutant in mutants if mutant.name in results])
    return [results[mutant.name] for mutant in mutants]


def _died(name: str, reason: str) -> MutantResult:
    """Raise HarnessError: what kills the process that judges a mutant is no finding about it."""
    raise HarnessError(f"mutant {name}: {reason}", "")


def mutant_digest(mutant: Mutant) -> str:
    """Return a digest of everything that the result of a mutant depends on.

    Args:
        mutant: A wrong reference; its edit is part of this package.
    """
    from rnn_harness.records.dependencies import digest_of

    return digest_of("mutant", mutant.name)


def recorded_results(path: Path | None, resume: bool) -> tuple[MutantResult, ...]:
    """Read the results of a file that is continued.

    Args:
        path: The file; None and a file that is missing or empty hold none.
        resume: Whether it is continued.

    Raises:
        UsageError: It holds results but is not continued, or cannot be read.
    """
    from rnn_harness.records.kill_matrix import parse_kill_matrix
    from rnn_harness.runtime.input_file import read_result_text

    if path is None or not path.exists() or not path.stat().st_size:
        return ()
    if not resume:
        raise UsageError(f"{path} holds results already: give --resume to go on, or another file")
    try:
        return parse_kill_matrix(read_result_text(path))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def write_results(path: Path, results: Sequence[MutantResult]) -> None:
    """Write all results completely or not at all.

    Args:
        path: The file; an older one is replaced.
        results: In the order in which they are written.

    Raises:
        UsageError: It cannot be written.
    """
    from rnn_harness.records.kill_matrix import write_kill_matrix

    try:
        write_kill_matrix(path, results)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
