"""Options of the commands that take a cell: ``validate``, ``identify``, ``compare``, ``convert``, ``bench`` ..."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from rnn_harness.cli.arguments import finite_number
from rnn_harness.errors import UsageError
from rnn_harness.options import Options

ADAPTER_NAMES = (
    "keras",
    "flax.linen",
    "flax.nnx",
    "equinox",
    "haiku",
    "onnx",
    "torch",
    "function",
    "numpy",
    "init-apply",
)
"""The adapters that ship; a test holds them against `all_adapters`, which is too slow to be asked for a help."""

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="A cell: path/file.py:Name, package.module:Name or model.onnx. Name is a class, an object, a function "
        "that makes one, or a function of one step; of torch, Keras, Flax, Equinox, Haiku, JAX or NumPy.",
    ),
]
Init = Annotated[
    list[str] | None,
    typer.Option(
        "--init",
        metavar="KEY=VALUE",
        help="Arguments of the constructor (or the adapter), as in --init input_size=3 num_layers=2; may be repeated.",
    ),
]
InitOfSecond = Annotated[
    list[str] | None,
    typer.Option(
        "--init-b",
        metavar="KEY=VALUE",
        help="The same for B; without it, --init counts for both, and --init-b= gives B none. May be repeated.",
    ),
]
Adapter = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"How the cell is called: {', '.join(ADAPTER_NAMES[:-1])} or {ADAPTER_NAMES[-1]}.",
        show_default="chosen by itself",
    ),
]
ParameterMap = Annotated[
    Path | None,
    typer.Option(
        "--map",
        metavar="FILE",
        help="Use this assignment of the cell's parameters to the spec's W, U, b (a file of --save-map), instead of "
        "finding it.",
        dir_okay=False,
    ),
]
SaveMap = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write which of the cell's parameters is which of the spec's, as JSON; --map of validate takes it.",
        dir_okay=False,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="DEVICE",
        help="Device the cell runs on: cpu, cuda, cuda:1 or mps; its results are copied to the CPU and compared there.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0.1,
        max=1e7,
        callback=finite_number,
        help="Seconds for one case; a cell that needs longer counts as hanging.",
    ),
]
Memory = Annotated[
    float,
    typer.Option(
        metavar="GB",
        min=2,
        max=1e6,
        callback=finite_number,
        help="Gigabytes that the cell's process may take, with all that it starts; torch alone takes one.",
    ),
]


def options_of_both(init: Sequence[str] | None, init_second: Sequence[str] | None) -> tuple[Options, Options]:
    """Read the options of two targets.

    Args:
        init: What ``--init`` was given.
        init_second: What ``--init-b`` was given: one empty text for no options; None where ``--init`` counts for both.

    Raises:
        UsageError: One of them is no ``key=value``.
    """
    from rnn_harness.validation import read_options

    first = read_options(list(init or ()))
    if init_second is None:
        return first, first
    return first, read_options([] if list(init_second) == [""] else list(init_second))


@contextlib.contextmanager
def hint_at_options_of_each(
    targets: tuple[str, str], init: Sequence[str] | None, init_second: Sequence[str] | None
) -> Iterator[None]:
    """Say, where one of two targets cannot be made with the options of both, how each is given its own.

    Args:
        targets: Both targets, as they were typed.
        init: What ``--init`` was given.
        init_second: What ``--init-b`` was given.

    Raises:
        UsageError: What was raised inside, with the hint behind it.
    """
    try:
        yield
    except UsageError as error:
        first, second = targets
        names_second, names_first = (str(error).startswith(target) for target in (second, first))
        if not init or init_second is not None or not (names_first or names_second):
            raise
        hint = f"--init counts for both: give {second} its own with --init-b key=value, or none with --init-b="
        if not names_second:
            hint = f"--init counts for both: give with --init-b key=value what {second} alone takes"
        raise UsageError(f"{error}\n{hint}") from None


def typed_options(init: Sequence[str] | None, init_second: Sequence[str] | None) -> tuple[str, str]:
    """Return the options of two targets as they are typed again, each with a space before it.

    Args:
        init: What ``--init`` was given.
        init_second: What ``--init-b`` was given; None where ``--init`` counts for both.

    Returns:
        Those of the first and those of the second, each written with ``--init``.
    """
    second = init if init_second is None else [] if list(init_second) == [""] else init_second
    first_words, second_words = ([f"--init={pair}" for pair in pairs or ()] for pairs in (init, second))
    return "".join(f" {shlex.quote(w)}" for w in first_words), "".join(f" {shlex.quote(w)}" for w in second_words)


def typed_for_both(options: tuple[str, str]) -> str:
    """Return the options of two targets as one command takes them.

    Args:
        options: What `typed_options` gives.
    """
    second = options[1].replace("--init=", "--init-b=")
    return f"{options[0]}{second or (' --init-b=' if options[0] else '')}"
