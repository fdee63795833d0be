"""``rnn-harness kernels``: every kernel, and whether it can run here."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from rnn_harness.cli._shared import console, guarded, named


@guarded
def kernels(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Kernels (nn.LSTM, eager), or specs (lstm.column); all by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List torch kernels: which equations each must compute, where it can run, and why not elsewhere.

    Judge them with rnn-harness verify --kernels.
    """
    named("kernel", names or [])
    from rnn_harness.kernels import choose_kernels

    rows = []
    for kernel in choose_kernels(tuple(names or ()), include_known_wrong=True):
        for setting in kernel.settings:
            reason = kernel.not_run_reason(setting)
            row = {"kernel": kernel.id, "title": kernel.title, "spec": kernel.spec}
            row |= {"dtype": setting.dtype, "device": setting.device, "reason": reason or ""}
            rows.append(row | {"known_wrong": kernel.known_wrong})
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    from rnn_harness.reports.text.fit_table import Column, print_table

    folded = (Column(name, least=20) for name in ("here", "not here", "what it is"))
    table = []
    for identifier in dict.fromkeys(row["kernel"] for row in rows):
        own = [row for row in rows if row["kernel"] == identifier]
        here = ", ".join(f"{row['dtype']} {row['device']}" for row in own if not row["reason"])
        reasons: dict[str, list[str]] = {}
        for row in own:
            if row["reason"]:
                reasons.setdefault(row["reason"], []).append(f"{row['dtype']} {row['device']}")
        away = "; ".join(f"{', '.join(where)}: {reason}" for reason, where in reasons.items())
        title = own[0]["title"] + (f" (known to be wrong: {own[0]['known_wrong']})" if own[0]["known_wrong"] else "")
        table.append((identifier, own[0]["spec"], here or "–", away, title))
    print_table(console(), "", (Column("kernel"), Column("spec"), *folded), table)
    typer.echo("Judge them: rnn-harness verify --kernels [ID...].")
