"""Says what a recurrent cell computes, whether its forward and gradients are right, and how precise it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from rnn_harness.options import Options
    from rnn_harness.records.comparison import Comparison
    from rnn_harness.records.conversion import Conversion
    from rnn_harness.validation import Identification, Validation

__all__ = ["compare", "convert", "identify", "parametrize_with_cells", "validate"]


def compare(first: Any, second: Any, spec: str = "auto") -> Comparison:
    """Decide in this process whether two cells are the same function, and under which map of weights.

    Args:
        first: A cell, as `identify` takes it; the id of a shipped spec, a spec file (``.toml``), or the text that names
            a cell for the command.
        second: Another one; both may be of different libraries.
        spec: A spec file (``.toml``), or the id of a shipped spec, that both are held against first.

    Raises:
        rnn_harness.errors.UsageError: One of them cannot be loaded or driven.
        rnn_harness.specs.SpecError: A file is no spec.
    """
    from rnn_harness.comparison.compare import compare_loaded
    from rnn_harness.comparison.tied_cell import load_compared
    from rnn_harness.validation import Target, ValidationRequest, target_of

    def loaded(cell: Any) -> Target:
        return load_compared(ValidationRequest(cell)) if isinstance(cell, str) else target_of(_name(cell), cell)

    return compare_loaded(loaded(first), loaded(second), spec)


def convert(
    first: str,
    second: str,
    weights: str | Path,
    output: str | Path,
    *,
    allows_nearest: bool = False,
    first_options: Options | None = None,
    second_options: Options | None = None,
) -> Conversion:
    """Convert a file of weights of one cell into the layout of another, and check the result, in workers.

    Args:
        first: The target that has the weights, ``package.module:Name`` or ``path/file.py:Name``.
        second: The target that is to have them.
        weights: The file of weights; its ending says the format.
        output: The file that is written.
        allows_nearest: Whether weights that the second cannot represent become the nearest that it can.
        first_options: What the constructor of the first needs besides the sizes.
        second_options: What that of the second needs.

    Raises:
        rnn_harness.errors.UsageError: A target cannot be loaded, or the file does not hold its weights.
        rnn_harness.errors.NotRun: A target ended its process, or gave no answer in time.
    """
    from pathlib import Path

    from rnn_harness.conversion.convert import ConversionRequest, convert_targets
    from rnn_harness.validation import ValidationRequest

    requests = ValidationRequest(first, first_options or {}), ValidationRequest(second, second_options or {})
    return convert_targets(ConversionRequest(*requests, Path(weights), Path(output), allows_nearest))


def identify(cell: Any, **options: Any) -> tuple[Identification, ...]:
    """Identify what a cell computes.

    Args:
        cell: An object that an adapter drives (a module of torch, Keras, flax or equinox, an ONNX model, an object with
            NumPy arrays), its class, a function that makes one, or a function of one step.
        **options: What its constructor needs besides the sizes.

    Returns:
        One match; several that cannot be told apart; or none.

    Raises:
        rnn_harness.errors.UsageError: It cannot be driven, or its parameters fit no cell.
    """
    from rnn_harness.validation import identify as identify_target
    from rnn_harness.validation import target_of

    return identify_target(target_of(_name(cell), cell, options))


def validate(
    cell: Any,
    spec: str = "auto",
    seed: int = 0,
    examples: int = 5,
    dtypes: tuple[str, ...] = ("float64", "float32"),
    **options: Any,
) -> Validation:
    """Decide in this process whether a cell is right.

    Args:
        cell: The cell, as `identify` takes it.
        spec: The id of the spec that it must have, a spec file (``.toml``), or ``auto``.
        seed: Where the random cases start.
        examples: How many cases Hypothesis draws, after the fixed ones.
        dtypes: The dtypes in which it is judged, if it takes them.
        **options: What its constructor needs besides the sizes.

    Raises:
        rnn_harness.errors.UsageError: It cannot be driven, or nothing can be compared with it.
    """
    from rnn_harness.errors import UsageError
    from rnn_harness.validation import (
        ValidationRequest,
        collect_validation,
        run_validation,
        state_names_of,
        target_of,
    )

    for name, value in (("seed", seed), ("examples", examples)):
        if value < 0:
            raise UsageError(f"{name} is {value}, expected 0 or more")
    request = ValidationRequest(_name(cell), options, spec, seed, examples, dtypes)
    target = target_of(_name(cell), cell, options, state_names=state_names_of(spec))
    return collect_validation(_name(cell), run_validation(target, request))


def parametrize_with_cells(*cells: Any, spec: str = "auto", **options: Any) -> pytest.MarkDecorator:
    """Decorate a test ``def test_cell(cell, check): check(cell)`` to run for every check of every cell, under pytest.

    Args:
        *cells: As `validate` takes them, or ``package.module:Name``, which runs in a process of its own.
        spec: The spec that every cell must have, as in `validate`.
        **options: What the constructors need besides the sizes.
    """
    from rnn_harness.pytest_plugin import parametrize_with_cells as parametrize

    return parametrize(*cells, spec=spec, **options)


def _name(cell: Any) -> str:
    """Name a class or a function ``module:Name``, and an object by its class."""
    if hasattr(cell, "__qualname__"):
        return f"{cell.__module__}:{cell.__qualname__}"
    return type(cell).__qualname__
