"""The command's frame: its subcommands and how it ends. Heavy imports wait until a command needs them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from rnn_harness.cli import (
    _bench,
    _compare,
    _convert,
    _explain,
    _gpu,
    _identify,
    _kernels,
    _matrix,
    _mutants,
    _replay,
    _report,
    _specs,
    _validate,
    _verify,
)
from rnn_harness.cli._command_help import COMMANDS, PROGRAM
from rnn_harness.cli._output import output_errors, prepare_streams
from rnn_harness.cli._plain_command import PlainCommand
from rnn_harness.cli._wrong_use import Commands
from rnn_harness.errors import ExitCode

_WIDEST = 100
"""The columns of the help where the terminal has as many."""

app = typer.Typer(
    name="rnn-harness",
    cls=Commands,
    help="Says what a recurrent cell computes, whether its forward and gradients are right, and how "
    "precise it is: every equation, as its document prints it, is what runs.",
    epilog=PROGRAM.epilog,
    context_settings={"max_content_width": _WIDEST},
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_FUNCTIONS: dict[str, Callable[..., None]] = {
    "validate": _validate.validate,
    "identify": _identify.identify,
    "compare": _compare.compare,
    "convert": _convert.convert,
    "explain": _explain.explain,
    "verify": _verify.verify,
    "matrix": _matrix.matrix,
    "bench": _bench.bench,
    "report": _report.report,
    "replay": _replay.replay,
    "kernels": _kernels.kernels,
    "mutants": _mutants.mutants,
    "gpu": _gpu.gpu,
}
for _name, _function in _FUNCTIONS.items():
    _help = COMMANDS[_name]
    app.command(_name, cls=PlainCommand, short_help=_help.summary, epilog=_help.epilog)(_function)
app.add_typer(_specs.app, name="specs", short_help=COMMANDS["specs"].summary, epilog=COMMANDS["specs"].epilog)


def _print_version(is_wanted: bool) -> None:
    """Print the version and leave, if that is wanted."""
    if is_wanted:
        from importlib.metadata import version

        typer.echo(f"rnn-harness {version('rnn-harness')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that stand before a subcommand."""


def run_command() -> None:
    """Run the command and leave with its exit code.

    Raises:
        SystemExit: Always; its code is one of `ExitCode`.
    """
    prepare_streams()
    with output_errors():
        try:
            app()
        except SystemExit:
            if type(sys.stdout).__name__ == "PacifyFlushWrapper":  # typer met a closed pipe, and would leave with 1
                raise SystemExit(ExitCode.CLOSED) from None
            raise
