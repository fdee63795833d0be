"""A measurement as it is written: what, of whom, at which sizes, every sample, and what may be said of it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.records.provenance import versions
from rnn_harness.runtime.atomic_file import write_whole

Kind = Literal["speed", "parameters", "decay", "learning"]


class Measurement(BaseModel):
    """One line of a benchmark.

    `subject`: a reference, a kernel or a candidate. `what`: ``forward``, ``backward``, ``both``, a floor, or an
    initialisation. `samples`: all of them, in `unit`. `agrees`: that the same subject gave the right numbers at the
    same sizes and dtype, or why it is not known; without it no time is shown. `ran`: what the profiler saw. `control`:
    samples of the fixed work of the same rounds. `extra`: numbers beside, by name. `job`: of the plan that
    it comes from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    kind: Kind
    subject: str
    spec: str
    what: str
    sizes: dict[str, int] = {}
    dtype: str = ""
    device: str = "cpu"
    unit: str = "s"
    samples: tuple[float, ...] = ()
    middle: float | None = None
    low: float | None = None
    high: float | None = None
    agrees: bool | None = None
    reason: str = ""
    ran: str = ""
    control: tuple[float, ...] = ()
    extra: dict[str, float] = {}
    text: str = ""
    job: str = ""
    environment: str = ""
    machine: str = ""

    @property
    def key(self) -> str:
        """What makes two measurements answers to the same question."""
        sizes = ",".join(f"{name}={value}" for name, value in sorted(self.sizes.items()))
        return "|".join((self.kind, self.subject, self.spec, self.what, sizes, self.dtype, self.device))


@cache
def machine() -> str:
    """What the times depend on besides the program: processor, cores, threads of torch."""
    import torch

    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def stamped(one: Measurement) -> Measurement:
    """With the versions and the machine."""
    return one.model_copy(update={"environment": versions(), "machine": machine()})


def write_measurements(path: Path, found: Iterable[Measurement]) -> None:
    """Write the file whole or not at all. Raises UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, "".join(one.model_dump_json() + "\n" for one in found))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def read_measurements(path: Path) -> list[Measurement]:
    """Read such a file. Raises UsageError that names the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read measurements from {path}: {error}") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(Measurement.model_validate(json.loads(line)))
        except (json.JSONDecodeError, ValidationError) as error:
            raise UsageError(f"{path}:{number}: not a measurement: {str(error).splitlines()[0]}") from None
    return found
