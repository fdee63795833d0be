"""A target is judged by ``rnn-harness validate`` in the environment of its package: by its interpreter, in a process.

What comes back is a document, which is read as any other file of results.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rnn_harness.errors import ExitCode
from rnn_harness.matrix.environment import Environment, make_environment, this_environment
from rnn_harness.matrix.installers import EnvironmentNotMade
from rnn_harness.matrix.suite import HERE, EnvironmentPlan, Suite, SuiteTarget
from rnn_harness.printable import printable
from rnn_harness.records.dependencies import digest_of
from rnn_harness.records.judged_target import JudgedTarget
from rnn_harness.records.record_document import parse_document
from rnn_harness.records.validation import Validation
from rnn_harness.runtime.end_with_parent import ending_with_this_process

SECONDS_BESIDES = 120.0
"""Seconds that ``validate`` may take longer than its target: it starts, searches, and evaluates numbers anew."""
_LONGEST_REASON = 400


@dataclass(frozen=True)
class TargetJob:
    """A target to be judged; it can be pickled, and done by another process or machine that shares the folders.

    Attributes:
        suite: The suite, whose options count.
        target: What is judged, of those that the suite names.
        environments: The folder in which environments are kept.
        suite_folder: The folder of the suite, beside which files of targets are looked for.
        depends_on: A digest of all that the outcome may depend on.
    """

    suite: Suite
    target: SuiteTarget
    environments: Path
    suite_folder: Path
    depends_on: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What its result is recognised by: the environment, and the target with its options."""
        return self.target.environment, self.target.name

    def unjudged(self, reason: str, environment: Environment | None = None) -> JudgedTarget:
        """Return what stands for a target that was not judged.

        Args:
            reason: Why.
            environment: Where it was to be judged, if that was made.
        """
        return self._judged(environment).model_copy(update={"ending": "not judged", "reason": reason})

    def _judged(self, environment: Environment | None) -> JudgedTarget:
        """Return what is known of a target before it is judged."""
        target = self.target
        return JudgedTarget(
            name=target.name,
            package=target.package,
            version=environment.version_of(target.package) if environment is not None else "",
            environment=target.environment,
            target=target.target,
            init=target.init,
            ending="not judged",
            review=target.review,
            date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            depends_on=self.depends_on,
        )

    def judge(self) -> JudgedTarget:
        """Judge it in its environment, which is made where it is missing."""
        try:
            environment = environment_of(self.suite, self.target.environment, self.environments, self.suite_folder)
        except EnvironmentNotMade as error:
            return self.unjudged(printable(str(error)))
        if not environment.version_of(self.target.package):
            return self.unjudged(f"{environment.name} holds no distribution {self.target.package}", environment)
        start = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix="rnn-harness-matrix-") as folder:
                document = Path(folder) / "validation.json"
                ended = _run(self._command(environment, document), environment.process_variables(), self._seconds)
                answer = self._answer(environment, document, ended)
        except OSError as error:  # no space for its result, or its interpreter is gone
            return self.unjudged(f"it cannot be started: {error.strerror or error}: {error.filename}", environment)
        return answer.model_copy(update={"seconds": round(time.monotonic() - start, 1)})

    @property
    def _seconds(self) -> float:
        """Seconds after which the process is ended."""
        return self.suite.total + SECONDS_BESIDES

    def _command(self, environment: Environment, document: Path) -> list[str]:
        """Return the command that validates the target and writes the result."""
        suite, target = self.suite, self.target
        options = [word for pair in target.init for word in ("--init", pair)]
        options += [word for dtype in suite.dtypes for word in ("--dtype", dtype)]
        options += ["--adapter", target.adapter] if target.adapter else []
        limits = ["--timeout", f"{suite.timeout:g}", "--total", f"{suite.total:g}", "--memory", f"{suite.memory:g}"]
        draws = ["--examples", str(suite.examples), "--seed", str(suite.seed), "--spec", self._beside(target.spec)]
        named = self._beside(target.target)
        program = [str(environment.python), "-m", "rnn_harness", "validate", named]
        return [*program, *options, *limits, *draws, "--json", str(document), "--quiet"]

    def _beside(self, name: str) -> str:
        """Return a target or a spec; of a file, with the folder of the suite in front of it."""
        place, colon, rest = name.rpartition(":") if ".py:" in name else (name, "", "")
        is_file = place.endswith((".py", ".onnx", ".toml")) and not Path(place).is_absolute()
        return f"{self.suite_folder / place}{colon}{rest}" if is_file else name

    def _answer(self, environment: Environment, document: Path, ended: _Ended) -> JudgedTarget:
        """Read what the process left."""
        judged = self._judged(environment)
        if ended.code == ExitCode.WRONG_USE:
            return judged.model_copy(update={"ending": "not driven", "reason": ended.sentence})
        try:
            validation = parse_document(Validation, document.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return self.unjudged(ended.sentence, environment)
        parts = {"ending": validation.outcome, "validation": validation, "versions": validation.environment}
        return judged.model_copy(update=parts)


def environment_of(suite: Suite, name: str, folder: Path, suite_folder: Path) -> Environment:
    """Return an environment of a suite, made if it is missing.

    Args:
        suite: Its plans of environments count.
        name: The name of the environment.
        folder: Where environments are kept.
        suite_folder: The folder of the suite.

    Raises:
        EnvironmentNotMade: It cannot be made.
    """
    plan: EnvironmentPlan | None = suite.plan_of(name)
    return this_environment(HERE) if plan is None else make_environment(name, plan, folder, suite_folder)


def target_digest(suite: Suite, target: SuiteTarget, environment: Environment) -> str:
    """Return a digest of what the outcome of a target may depend on, as far as it is known.

    Args:
        suite: The suite, whose options count.
        target: The target; what its file imports besides packages is not known.
        environment: Where it is judged.
    """
    options = suite.model_dump(exclude={"title", "targets", "environments"})
    asked = target.model_dump(exclude={"review"})
    return digest_of(json.loads(json.dumps([options, asked])), sorted(environment.versions.items()))


@dataclass(frozen=True)
class _Ended:
    """How a process ended.

    Attributes:
        code: Its exit code.
        sentence: What it said last, or how it ended.
    """

    code: int
    sentence: str


_running: set[subprocess.Popen[str]] = set()
_lock = threading.Lock()


def _run(command: Sequence[str], variables: dict[str, str], seconds: float) -> _Ended:
    """Run a process to its end, which comes after some seconds at the latest; nothing that it started stays behind."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        with _lock:
            _running.add(process)
        with ending_with_this_process(process):
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                return _Ended(ExitCode.UNDECIDED, f"the validation was not done after {seconds:g} s")
            finally:
                _end(process)
        errors.seek(0)
        lines = [line.strip() for line in errors if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    said = next((line for line in reversed(lines) if line.startswith("rnn-harness: ")), last)
    sentence = printable(said.removeprefix("rnn-harness: "))[:_LONGEST_REASON]
    return _Ended(code, sentence if code == ExitCode.WRONG_USE else f"exit code {code}: {sentence}")


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and its group; its own workers end with it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    with _lock:
        _running.discard(process)


def end_running_targets() -> None:
    """End what is being judged in this process: the threads that wait for it are not waited for."""
    for process in list(_running):
        _end(process)


atexit.register(end_running_targets)
