"""Options that ``validate`` and ``identify`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnn_harness.cli.arguments import finite_number

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="package.module:Name, path/file.py:Name or model.onnx: a module of torch, Keras, flax or equinox, an "
        "object with NumPy arrays, its class, a function that makes one, or a function of one step.",
    ),
]
Init = Annotated[
    list[str] | None,
    typer.Option("--init", help="key=value that the constructor (or the adapter) needs; may be repeated."),
]
Adapter = Annotated[str | None, typer.Option(help="Drive it with this adapter instead of the one that claims it.")]
ParameterMap = Annotated[
    Path | None, typer.Option("--map", help="A parameter map that --save-map wrote.", dir_okay=False)
]
SaveMap = Annotated[Path | None, typer.Option(help="Write the parameter map that was found.", dir_okay=False)]
Device = Annotated[
    str,
    typer.Option(metavar="DEVICE", help="Where its code computes: cpu, cuda, cuda:1 or mps; it is judged on the CPU."),
]
Timeout = Annotated[
    float,
    typer.Option(
        min=0.1, max=1e7, callback=finite_number, help="Seconds for one case, after which it counts as hanging."
    ),
]
Memory = Annotated[
    float,
    typer.Option(
        min=2,
        max=1e6,
        callback=finite_number,
        help="Gigabytes that the target's process may take; torch alone takes one.",
    ),
]
