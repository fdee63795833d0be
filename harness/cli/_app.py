"""The command's frame: its subcommands and how it ends. Heavy imports wait until a command needs them."""

from __future__ import annotations

import sys
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
from rnn_harness.cli._output import output_errors, prepare_streams
from rnn_harness.cli._wrong_use import Commands
from rnn_harness.errors import ExitCode

_EXIT_CODES = (
    "Exit codes: 0 nothing refuted, 1 something refuted, 2 wrong use, 3 nothing could be decided, "
    "4 an error of the harness itself (--debug prints its traceback), "
    "130 interrupted (what was recorded is kept), 141 the output pipe was closed."
)

app = typer.Typer(
    name="rnn-harness",
    cls=Commands,
    help="Says what a recurrent cell computes, whether its forward and gradients are right, and how "
    "precise it is: every equation, as its document prints it, is what runs.",
    epilog="Start with: rnn-harness verify. One equation: rnn-harness verify E-348. "
    "What is there: rnn-harness specs. " + _EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("verify", epilog=_EXIT_CODES)(_verify.verify)
app.command("validate", epilog=_EXIT_CODES)(_validate.validate)
app.command("identify", epilog=_EXIT_CODES)(_identify.identify)
app.command("compare", epilog=_EXIT_CODES)(_compare.compare)
app.command("convert", epilog=_EXIT_CODES)(_convert.convert)
app.command("explain", epilog=_EXIT_CODES)(_explain.explain)
app.command("matrix", epilog=_EXIT_CODES)(_matrix.matrix)
app.command("replay", epilog=_EXIT_CODES)(_replay.replay)
app.command("bench", epilog=_EXIT_CODES)(_bench.bench)
app.command("report", epilog=_EXIT_CODES)(_report.report)
app.command("kernels", epilog=_EXIT_CODES)(_kernels.kernels)
app.command("gpu", epilog=_EXIT_CODES)(_gpu.gpu)
app.command("mutants", epilog=_EXIT_CODES)(_mutants.mutants)
app.add_typer(_specs.app, name="specs")


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
