"""What one run on a GPU machine found out besides verdicts and times, and how its folder is laid out.

A folder holds three files of JSON Lines: `MACHINE` (facts and probes, by the types here), `VERDICTS` (records of
kernels) and `TIMES` (measurements of speed), and `SUMMARY`, which is made from them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.runtime.input_file import read_text_file

MACHINE, VERDICTS, TIMES, SUMMARY = "machine.jsonl", "verdicts.jsonl", "times.jsonl", "summary.md"


class MachineFact(BaseModel):
    """One thing about the machine, its libraries, or the run.

    Attributes:
        subject: What it is about, as ``device`` or ``triton``.
        value: What was found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["machine"] = "machine"
    subject: str
    value: str


class RunStart(BaseModel):
    """That the run began, or went on after it had been stopped.

    Attributes:
        depends_on: Digest of everything that its results depend on: this package, its libraries, and the device.
        started: When, as ``2026-11-30T01:30:00+00:00``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["start"] = "start"
    depends_on: str
    started: str


class ProbeResult(BaseModel):
    """What the shortest code that shows a suspected behaviour showed.

    Attributes:
        probe: What was asked.
        prediction: What was expected before any device had been tried.
        result: What happened, in words; how its process ended, if it did not come back.
        is_unanswered: Whether its process ended before it answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["probe"] = "probe"
    probe: str
    prediction: str
    result: str
    is_unanswered: bool = False


class StageEnd(BaseModel):
    """How a stage of the run ended.

    Attributes:
        stage: Its name.
        ending: ``done``, or why it is not.
        seconds: How long it took.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["stage"] = "stage"
    stage: str
    ending: str
    seconds: float


MachineRow = MachineFact | RunStart | ProbeResult | StageEnd
_ADAPTER: TypeAdapter[MachineRow] = TypeAdapter(Annotated[MachineRow, Field(discriminator="kind")])


def gpu_runs_in(folder: Path) -> list[Path]:
    """List the folders of runs that lie in a folder, sorted.

    Args:
        folder: What `rnn-harness gpu` is given as OUT, or any other path.
    """
    return sorted(path for path in folder.iterdir() if is_gpu_run(path)) if folder.is_dir() else []


def is_gpu_run(path: Path) -> bool:
    """Say whether a path is the folder of a run on a GPU machine.

    Args:
        path: Any path.
    """
    return all((path / name).is_file() for name in (MACHINE, VERDICTS, TIMES))


def read_machine_rows(folder: Path) -> list[MachineRow]:
    """Read the facts and probes of a run; a last line that was being written when the machine stopped is left out.

    Args:
        folder: The folder of the run.

    Raises:
        UsageError: The file cannot be read, or holds something else.
    """
    path = folder / MACHINE
    lines = [line for line in read_text_file(path, "the machine and its probes").splitlines() if line.strip()]
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(_ADAPTER.validate_json(line))
        except ValidationError as error:
            if number == len(lines):
                break
            raise UsageError(f"{path}:{number}: not a row of a GPU run: {str(error).splitlines()[0]}") from None
    return rows
