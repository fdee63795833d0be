"""``rnn-harness convert``: the weights of one cell in the layout of another."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnn_harness.cli._conclusion import Conclusion, print_conclusion
from rnn_harness.cli._json_output import JsonName, JsonOutput
from rnn_harness.cli._progress import progress_bar
from rnn_harness.cli._shared import exit_codes
from rnn_harness.cli._target_options import (
    Init,
    InitOfSecond,
    Memory,
    Timeout,
    hint_at_options_of_each,
    options_of_both,
    typed_for_both,
    typed_options,
)
from rnn_harness.cli._text_file import write_text_file
from rnn_harness.cli._verbosity import is_quiet
from rnn_harness.cli.arguments import ensure_readable, ensure_target_file, ensure_writable
from rnn_harness.errors import ExitCode, HarnessError, NotRun, UsageError

if TYPE_CHECKING:
    from rnn_harness.records.conversion import Conversion

_EXIT_CODES = {
    "converted": ExitCode.AGREES,
    "nearest": ExitCode.AGREES,
    "refused": ExitCode.REFUTED,
    "undecided": ExitCode.UNDECIDED,
}
_FORMATS = ".safetensors, .pt, .pth, .npz, .weights.h5, .msgpack, .keras, .onnx"


@exit_codes
def convert(
    first: Annotated[str, typer.Argument(metavar="A", help="The cell that has the weights, as `validate` takes it.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The cell that is to have them.")],
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=f"The weights of A: {_FORMATS}, .bin, or a folder of Orbax."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"The weights of B: {_FORMATS} or .orbax.")
    ] = None,
    nearest: Annotated[
        bool, typer.Option("--nearest", help="Where B cannot represent the weights, write the nearest that it can.")
    ] = False,
    layer: Annotated[
        str,
        typer.Option(metavar="NAME", help="Of A or B, which is a model, the layer that is meant; the other is one."),
    ] = "",
    code: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a function of NumPy alone that converts any such weights.", dir_okay=False
        ),
    ] = None,
    init: Init = None,
    init_second: InitOfSecond = None,
    timeout: Timeout = 120,
    memory: Memory = 8,
    json_name: JsonName = None,
) -> None:
    """Convert the weights of A into the layout of B, layer by layer, and check the result.

    Written is only what is checked: the equations of B with these weights are proved equal to those of A, and both
    cells, run on a drawn sequence, stay within the bounds of their equations.

    Give --weights and --output, or --code, or all three.
    """
    from rnn_harness.conversion.convert import ConversionRequest, convert_targets
    from rnn_harness.validation import Limits, ValidationRequest

    if (weights is None) != (output is None) or (weights is None and code is None):
        raise UsageError("give --weights and --output, or --code, or all three")
    document = JsonOutput.of(json_name)
    ensure_writable(output if output is None or output.suffix != ".orbax" else None, code)
    for target in (first, second):
        ensure_target_file(target)
    if weights is None or not weights.is_dir():  # a checkpoint may be a folder
        ensure_readable("weights", weights)
    options, options_of_b = options_of_both(init, init_second)
    request = ConversionRequest(
        ValidationRequest(first, options, memory=memory),
        ValidationRequest(second, options_of_b, memory=memory),
        weights,
        output,
        nearest,
        Limits(timeout),
        layer,
    )
    try:
        with hint_at_options_of_each((first, second), init, init_second), progress_bar(1) as on_start:
            on_start(f"converting the weights of {first} to {second}")
            conversion = convert_targets(request)
    except HarnessError:
        raise
    except NotRun as reason:
        typer.echo(f"rnn-harness: nothing is converted: {reason}", err=True)
        raise typer.Exit(ExitCode.UNDECIDED) from None
    if code is not None and conversion.code:
        write_text_file(code, conversion.code)
    elif code is not None:
        typer.echo(f"rnn-harness: {code} is not written: no program is written for such weights", err=True)
    exit_code = _EXIT_CODES[conversion.outcome]
    document.write(json.dumps(dataclasses.asdict(conversion), indent=1))
    if not document.is_printed:
        if not is_quiet():
            _print(conversion)
        verdict = f"{first} to {second}: {conversion.outcome}: {conversion.sentence}"
        print_conclusion(Conclusion(verdict, _next_command(conversion, typed_options(init, init_second))), exit_code)
    raise typer.Exit(exit_code)


def _next_command(conversion: Conversion, options: tuple[str, str]) -> str:
    """Return the command that goes on from a conversion; options of the targets stand in it as they were typed."""
    compare = f"rnn-harness compare {conversion.left} {conversion.right}{typed_for_both(options)}"
    if conversion.outcome == "refused" and any(layer.lost for layer in conversion.layers):
        return "the same with --nearest  (writes the nearest weights that can be represented)"
    return f"{compare}  (under which map of weights they are the same, or where they differ)"


def _print(conversion: Conversion) -> None:
    """Print what became of the weights."""
    typer.echo(f"{conversion.left} to {conversion.right}")
    for layer in conversion.layers:
        gap = "" if layer.output_gap is None else f"; outputs {layer.output_gap:.2g} apart at most"
        rounded = f"; rounded by up to {layer.rounding:.2g}" if layer.rounding else ""
        typer.echo(f"  {layer.title} ({layer.sizes}){gap}{rounded}{'; ' + layer.note if layer.note else ''}")
        for row in layer.lost:
            typer.echo(f"    lost: {row}")
    if conversion.left_out:
        typer.echo(f"\nNot converted, since it is of no layer that was: {', '.join(conversion.left_out)}")
    if conversion.map:
        typer.echo("\nThe weights:")
        for line in conversion.map:
            typer.echo(f"  {line}")
