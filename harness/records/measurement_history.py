"""Measurements kept under a name, and held against later ones: what changed, and what is only noise."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rnn_harness.errors import UsageError
from rnn_harness.records.measurement import Measurement, read_measurements, write_measurements


@dataclass(frozen=True)
class Change:
    """`factor`: new over old, as far as the control says that the machine was the same; `real`: more than noise."""

    key: str
    title: str
    old: float
    new: float
    factor: float
    real: bool


def store(folder: Path | None = None) -> Path:
    """Where measurements are kept."""
    if folder is not None:
        return folder
    import platformdirs

    return Path(platformdirs.user_data_dir("rnn-harness")) / "bench"


def _path(name: str, folder: Path | None) -> Path:
    if not re.fullmatch(r"[\w.-]+", name):
        raise UsageError(f"{name!r} cannot name measurements: letters, digits, dots, dashes and underscores can")
    return store(folder) / f"{name}.jsonl"


def ready(name: str, folder: Path | None = None) -> None:
    """That measurements can be kept under a name, before they are made. Raises UsageError."""
    path = _path(name, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot keep measurements in {path.parent}: {error.strerror}; give --keep-in DIR") from None
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"cannot keep measurements in {path.parent}: it may not be written; give --keep-in DIR")


def save(name: str, found: list[Measurement], folder: Path | None = None) -> Path:
    """Keep measurements under a name, in the place of older ones of that name. Raises UsageError."""
    path = _path(name, folder)
    write_measurements(path, found)
    return path


def saved(name: str, folder: Path | None = None) -> list[Measurement]:
    """Those kept under a name. Raises UsageError that lists the names there are."""
    path = _path(name, folder)
    if not path.is_file():
        known = sorted(one.stem for one in store(folder).glob("*.jsonl")) if store(folder).is_dir() else []
        told = f"there are {', '.join(known)}" if known else "none are kept; --save NAME keeps some"
        raise UsageError(f"no measurements are kept as {name!r}: {told}")
    return read_measurements(path)


def compare(old: list[Measurement], new: list[Measurement], anyway: bool = False) -> list[Change]:
    """What both have measured. Raises UsageError where the machines differ, unless it is wanted `anyway`."""
    machines = {one.machine for one in (*old, *new) if one.kind == "speed"}
    if len(machines) > 1 and not anyway:
        raise UsageError(
            f"times of different machines say nothing of a change: {' | '.join(sorted(machines))}; "
            "compare them all the same with --other-machine"
        )
    before = {one.key: one for one in old}
    found = []
    for one in new:
        other = before.get(one.key)
        if (
            other is not None
            and one.middle is not None
            and other.middle is not None
            and one.samples
            and other.samples
            and one.agrees is not False
            and other.agrees is not False
        ):
            found.append(_change(other, one))
    return found


def _change(old: Measurement, new: Measurement) -> Change:
    """Real if the intervals are apart after the control has been divided out, by more than the control itself moved."""
    steady = median(new.control) / median(old.control) if old.control and new.control else 1.0
    left, right = (tuple(float(getattr(one, name) or 0.0) for name in ("low", "middle", "high")) for one in (old, new))
    scaled = tuple(value / steady for value in right)
    factor = scaled[1] / left[1] if left[1] else float("nan")
    apart = scaled[0] > left[2] or scaled[2] < left[0]
    noise = abs(steady - 1) if new.kind == "speed" else 0.0
    sizes = ", ".join(f"{name} = {value}" for name, value in new.sizes.items())
    title = f"{new.subject}, {new.what}, {sizes}" + (f", {new.dtype}" if new.dtype else "")
    return Change(new.key, title, left[1], right[1], factor, apart and abs(factor - 1) > noise)
