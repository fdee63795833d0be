"""``rnn-harness kernels``: every kernel, and whether it can run here."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from rnn_harness.cli._json_output import JsonName, JsonOutput
from rnn_harness.cli._shared import console, exit_codes_of_text
from rnn_harness.cli.arguments import refuse_empty_names


@dataclass(frozen=True)
class _KernelSetting:
    """A kernel in one dtype on one device, as ``--json`` prints it.

    Attributes:
        kernel: The kernel's id.
        title: What it is.
        spec: The spec that it must compute.
        dtype: The format of the numbers.
        device: Where it would run.
        reason: Why it cannot run there; empty where it can.
        known_wrong: What is known to be wrong with it; empty where nothing is.
    """

    kernel: str
    title: str
    spec: str
    dtype: str
    device: str
    reason: str
    known_wrong: str


@exit_codes_of_text
def kernels(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Kernels (nn.LSTM, eager), or specs (lstm.column).", show_default="all"),
    ] = None,
    json_name: JsonName = None,
) -> None:
    """List torch kernels: which equations each must compute, where it can run, and why not elsewhere.

    `rnn-harness verify --kernels` judges them.
    """
    refuse_empty_names("kernel", names or [])
    document = JsonOutput.of(json_name)
    settings = _kernel_settings(names or [])
    document.write(json.dumps([dataclasses.asdict(setting) for setting in settings], indent=1))
    if document.is_printed:
        return
    _print_kernels(settings)
    typer.echo("next: rnn-harness verify --kernels [ID...]  (judges them)")


def _kernel_settings(names: Sequence[str]) -> list[_KernelSetting]:
    """Return every setting of the kernels that names mean. Raises UsageError."""
    from rnn_harness.kernels import choose_kernels

    return [
        _KernelSetting(
            kernel=kernel.id,
            title=kernel.title,
            spec=kernel.spec,
            dtype=setting.dtype,
            device=setting.device,
            reason=kernel.not_run_reason(setting) or "",
            known_wrong=kernel.known_wrong,
        )
        for kernel in choose_kernels(tuple(names), include_known_wrong=True)
        for setting in kernel.settings
    ]


def _print_kernels(settings: Sequence[_KernelSetting]) -> None:
    """Print a row for each kernel."""
    from rnn_harness.reports.text.fit_table import Column, print_table

    by_kernel: dict[str, list[_KernelSetting]] = {}
    for setting in settings:
        by_kernel.setdefault(setting.kernel, []).append(setting)
    folded = (Column(name, least=20) for name in ("here", "not here", "what it is"))
    rows = [_kernel_row(settings_of_kernel) for settings_of_kernel in by_kernel.values()]
    print_table(console(), "", (Column("kernel"), Column("spec"), *folded), rows)


def _kernel_row(settings: Sequence[_KernelSetting]) -> tuple[str, ...]:
    """Return the row of a kernel: its spec, where it runs, why not elsewhere, and what it is."""
    kernel = settings[0]
    here = ", ".join(f"{setting.dtype} {setting.device}" for setting in settings if not setting.reason)
    places: dict[str, list[str]] = {}
    for setting in settings:
        if setting.reason:
            places.setdefault(setting.reason, []).append(f"{setting.dtype} {setting.device}")
    elsewhere = "; ".join(f"{', '.join(where)}: {reason}" for reason, where in places.items())
    title = f"{kernel.title} (known to be wrong: {kernel.known_wrong})" if kernel.known_wrong else kernel.title
    return kernel.kernel, kernel.spec, here or "–", elsewhere, title
