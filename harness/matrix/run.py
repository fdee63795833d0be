"""The targets of a suite as calls that any process can do, and a journal of what came of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_harness.errors import UsageError
from rnn_harness.matrix.environment import Environment
from rnn_harness.matrix.installers import EnvironmentNotMade
from rnn_harness.matrix.judging import TargetJob, environment_of, target_digest
from rnn_harness.matrix.suite import Suite
from rnn_harness.records.judged_target import JudgedTarget, read_judged_targets, write_judged_targets
from rnn_harness.runtime.worker_pool import PoolCall, WorkerPool, run_calls, run_in_threads

JOURNAL = "judged.jsonl"
"""Where results are written as they come; it is there while a run is, and after one that was interrupted."""
RECORDS = "records.jsonl.gz"
"""Every record of the last run, in the order of the suite."""


@dataclass(frozen=True)
class SuiteRun:
    """A run of a suite.

    Attributes:
        suite: Its targets and options.
        suite_folder: The folder of its file.
        environments: The folder in which environments are kept.
        output: The folder that results are written to.
        only: A part of the names or packages of the targets that are judged; empty for all.
    """

    suite: Suite
    suite_folder: Path
    environments: Path
    output: Path
    only: str = ""

    def selected_jobs(self) -> list[TargetJob]:
        """Return the jobs of the targets that are judged, in the order of the suite.

        Raises:
            UsageError: No target has a name or a package of which `only` is a part.
        """
        jobs = [
            TargetJob(self.suite, target, self.environments, self.suite_folder)
            for target in self.suite.targets
            if any(self.only in text for text in (target.name, target.package, target.environment))
        ]
        if not jobs:
            packages = ", ".join(dict.fromkeys(target.package for target in self.suite.targets))
            raise UsageError(f"--only {self.only!r}: no target has that in its name; there are targets of {packages}")
        return jobs

    def prepared(self, on_start: Callable[[str], None]) -> list[TargetJob]:
        """Make the environments, and return the jobs with what they depend on; those that cannot be done say so then.

        Args:
            on_start: Called with a title before each environment is made.
        """
        environments: dict[str, Environment] = {}
        jobs = self.selected_jobs()
        for name in dict.fromkeys(job.target.environment for job in jobs):
            on_start(f"environment {name}")
            try:
                environments[name] = environment_of(self.suite, name, self.environments, self.suite_folder)
            except EnvironmentNotMade:
                continue  # its jobs try once more, and give the reason
        return [
            replace(job, depends_on=target_digest(self.suite, job.target, environments[job.target.environment]))
            if job.target.environment in environments
            else job
            for job in jobs
        ]

    def ensure_writable(self) -> None:
        """Make the folder of the results.

        Raises:
            UsageError: It cannot be written to.
        """
        try:
            self.output.mkdir(parents=True, exist_ok=True)
            with (self.output / JOURNAL).open("a", encoding="utf-8") as journal:
                is_empty = journal.tell() == 0
            if is_empty:
                (self.output / JOURNAL).unlink()
        except OSError as error:
            raise UsageError(f"cannot write to {self.output}: {error.strerror}") from None

    def judge(self, jobs: Sequence[TargetJob], pool: WorkerPool) -> Iterator[JudgedTarget]:
        """Judge targets, in any order, and write each result to the journal as it comes.

        Args:
            jobs: What is judged.
            pool: Where.

        Raises:
            UsageError: The journal cannot be written.
        """
        calls = [PoolCall(job.judge, functools.partial(job.unjudged)) for job in jobs]
        is_here = pool.backend == "loky"  # a job waits for a process of its own: a thread does for that
        results = run_in_threads(calls, pool.workers) if is_here else run_calls(calls, pool)
        try:
            with (self.output / JOURNAL).open("a", encoding="utf-8") as journal:
                for _, judged in results:
                    journal.write(f"{judged.model_dump_json()}\n")
                    journal.flush()
                    yield judged
        except OSError as error:
            raise UsageError(f"cannot write to {self.output / JOURNAL}: {error.strerror}") from None

    def known(self) -> list[JudgedTarget]:
        """Return what the folder holds: the records of the last run, and those of one that was interrupted."""
        judged: dict[tuple[str, str], JudgedTarget] = {}
        for name in (RECORDS, JOURNAL):
            path = self.output / name
            if path.is_file():
                judged |= {row.key: row for row in read_judged_targets(path)}
        return list(judged.values())

    def write_records(self, judged: Sequence[JudgedTarget]) -> None:
        """Write the records of a run that came to its end; the journal has done its work.

        Args:
            judged: The targets, in the order of the suite.

        Raises:
            OSError: The disk does not take them.
        """
        write_judged_targets(self.output / RECORDS, judged)
        (self.output / JOURNAL).unlink(missing_ok=True)

    def in_order(self, judged: Sequence[JudgedTarget]) -> list[JudgedTarget]:
        """Put targets in the order of the suite; those that it does not name any more are left out.

        Args:
            judged: Targets of this suite, in any order; of two answers the later counts.
        """
        by_key = {row.key: row for row in judged}
        keys = [(target.environment, target.name) for target in self.suite.targets]
        reviews = {(target.environment, target.name): target.review for target in self.suite.targets}
        return [by_key[key].model_copy(update={"review": reviews[key]}) for key in keys if key in by_key]


def reusable(jobs: Sequence[TargetJob], known: Sequence[JudgedTarget]) -> dict[tuple[str, str], JudgedTarget]:
    """Return the results of an interrupted run that still count: nothing that is known of has changed since.

    What was not judged is judged again.

    Args:
        jobs: What is to be judged, with what it depends on.
        known: Results of earlier runs.
    """
    digests = {job.key: job.depends_on for job in jobs}
    return {
        row.key: row
        for row in known
        if row.ending != "not judged" and row.depends_on and digests.get(row.key) == row.depends_on
    }
