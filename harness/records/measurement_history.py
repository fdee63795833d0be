"""Measurements saved under a name and compared with later ones: what changed, and what is only noise."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rnn_harness.errors import UsageError
from rnn_harness.records.measurement import (
    Measurement,
    SampledMeasurement,
    SpeedMeasurement,
    read_measurements,
    write_measurements,
)


@dataclass(frozen=True)
class MeasurementChange:
    """How one estimate changed between two benchmarks.

    Attributes:
        key: The key of both measurements.
        title: Subject, aspect and sizes in words.
        old: The older estimate.
        new: The newer estimate.
        factor: New over old, after the control's change has been divided out.
        is_real: Whether the change is more than noise.
    """

    key: str
    title: str
    old: float
    new: float
    factor: float
    is_real: bool


@dataclass(frozen=True)
class _Interval:
    low: float
    estimate: float
    high: float


def storage_folder(folder: Path | None = None) -> Path:
    """Return the folder of saved measurements.

    Args:
        folder: The folder; the user's data folder where it is None.
    """
    if folder is not None:
        return folder
    import platformdirs

    return Path(platformdirs.user_data_dir("rnn-harness")) / "bench"


def _path(name: str, folder: Path | None) -> Path:
    if not re.fullmatch(r"[\w.-]+", name):
        raise UsageError(f"{name!r} cannot name measurements: letters, digits, dots, dashes and underscores can")
    return storage_folder(folder) / f"{name}.jsonl"


def ensure_writable(name: str, folder: Path | None = None) -> None:
    """Check, before anything is measured, that measurements can be saved under a name.

    Args:
        name: Letters, digits, ``_``, ``.`` and ``-``.
        folder: Created if it is not there; the user's data folder where it is None.

    Raises:
        UsageError: The name is none, or the folder cannot be written.
    """
    path = _path(name, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot keep measurements in {path.parent}: {error.strerror}; give --keep-in DIR") from None
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"cannot keep measurements in {path.parent}: it may not be written; give --keep-in DIR")


def save_measurements(name: str, measurements: Iterable[Measurement], folder: Path | None = None) -> Path:
    """Save measurements under a name, replacing older ones of that name, and return the file.

    Args:
        name: Letters, digits, ``_``, ``.`` and ``-``.
        measurements: One a line, in this order.
        folder: The user's data folder where it is None.

    Raises:
        UsageError: The name is none, or the file cannot be written.
    """
    path = _path(name, folder)
    write_measurements(path, measurements)
    return path


def load_measurements(name: str, folder: Path | None = None) -> list[Measurement]:
    """Load the measurements saved under a name.

    Args:
        name: The name under which they were saved.
        folder: The user's data folder where it is None.

    Raises:
        UsageError: There are none of that name (those there are are listed), or they cannot be read.
    """
    path = _path(name, folder)
    if not path.is_file():
        store = storage_folder(folder)
        known = sorted(file.stem for file in store.glob("*.jsonl")) if store.is_dir() else []
        hint = f"there are {', '.join(known)}" if known else "none are kept; --save NAME keeps some"
        raise UsageError(f"no measurements are kept as {name!r}: {hint}")
    return read_measurements(path)


def compare_measurements(
    old: Sequence[Measurement], new: Sequence[Measurement], across_machines: bool = False
) -> list[MeasurementChange]:
    """Compare the estimates of what both benchmarks have measured.

    Args:
        old: The older measurements.
        new: The newer measurements.
        across_machines: Whether times of different machines are compared all the same.

    Returns:
        A change for every measurement of `new` that `old` has too, real or not.

    Raises:
        UsageError: There are times of different machines.
    """
    machines = {measurement.machine for measurement in (*old, *new) if isinstance(measurement, SpeedMeasurement)}
    if len(machines) > 1 and not across_machines:
        raise UsageError(
            f"times of different machines say nothing of a change: {' | '.join(sorted(machines))}; "
            "compare them all the same with --other-machine"
        )
    before = {measurement.key: measurement for measurement in _comparable(old)}
    return [
        _change(before[measurement.key], measurement) for measurement in _comparable(new) if measurement.key in before
    ]


def _comparable(measurements: Sequence[Measurement]) -> list[SampledMeasurement]:
    """Select the measurements with samples and an estimate that are not wrong."""
    return [
        measurement
        for measurement in measurements
        if isinstance(measurement, SampledMeasurement)
        and measurement.estimate is not None
        and measurement.samples
        and measurement.agrees is not False
    ]


def _change(old: SampledMeasurement, new: SampledMeasurement) -> MeasurementChange:
    """A change is real if the intervals are apart after the control has been divided out, by more than it moved."""
    before, after = _interval(old), _interval(new)
    control_factor, noise = 1.0, 0.0
    if isinstance(old, SpeedMeasurement) and isinstance(new, SpeedMeasurement) and old.control and new.control:
        control_factor = median(new.control) / median(old.control)
        noise = abs(control_factor - 1)
    low, estimate, high = (value / control_factor for value in (after.low, after.estimate, after.high))
    factor = estimate / before.estimate if before.estimate else float("nan")
    are_apart = low > before.high or high < before.low
    is_real = are_apart and abs(factor - 1) > noise
    return MeasurementChange(new.key, new.title, before.estimate, after.estimate, factor, is_real)


def _interval(measurement: SampledMeasurement) -> _Interval:
    return _Interval(measurement.ci_low or 0.0, measurement.estimate or 0.0, measurement.ci_high or 0.0)
