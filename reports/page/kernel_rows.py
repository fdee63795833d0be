"""Kernels on the page: a row for each kernel, dtype and device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ConfigDict, with_config

from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.summary import count_outcomes
from rnn_harness.reports.text.kernels import KernelConfiguration


@with_config(ConfigDict(ser_json_inf_nan="strings"))
@dataclass(frozen=True)
class KernelRow:
    """How many checks of a kernel ended in each way, and how precise it is.

    Attributes:
        kernel: The kernel's id.
        dtype: The format of the numbers.
        device: The kind of device.
        refuted: The number of checks that are refuted.
        agrees: The number of checks that agree.
        vacuous: The number of checks whose cases could not have shown anything.
        not_run: The number of checks that were not run.
        bits: The effective precision of a few steps, in bits; None where it was not decided.
        long_bits: The same after 1,000 steps.
    """

    kernel: str
    dtype: str
    device: str
    refuted: int
    agrees: int
    vacuous: int
    not_run: int
    bits: float | None
    long_bits: float | None


def kernel_rows(records: Sequence[Record]) -> list[KernelRow]:
    """Return a row for each setting, in the order of the records.

    Args:
        records: Records of kernels; a setting is a kernel in a dtype on a device.
    """
    settings: dict[KernelConfiguration, list[Record]] = {}
    for record in records:
        settings.setdefault(KernelConfiguration.of(record), []).append(record)
    return [_kernel_row(setting, records_there) for setting, records_there in settings.items()]


def _kernel_row(setting: KernelConfiguration, records: Sequence[Record]) -> KernelRow:
    """Return the row of one setting from its records."""
    counts = count_outcomes(records)
    bits = {record.check: record.bits for record in records if record.bits is not None}
    return KernelRow(
        *setting,
        refuted=counts[Outcome.REFUTED],
        agrees=counts[Outcome.AGREES],
        vacuous=counts[Outcome.VACUOUS],
        not_run=counts[Outcome.NOT_RUN],
        bits=bits.get("precision.format"),
        long_bits=bits.get("precision.long"),
    )
