"""Says what a recurrent cell computes, whether its forward and gradients are right, and how precise it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_harness.validation import Identification, Validation

__all__ = ["identify", "parametrize_with_cells", "validate"]


def identify(cell: Any, **options: Any) -> tuple[Identification, ...]:
    """What `cell` computes: one match, several that cannot be told apart, or none.

    `cell`: an object that an adapter drives (a module of torch, Keras, flax or equinox, an ONNX model, an object with
    NumPy arrays), its class, a function that makes one, or a function of one step. `options`: what its constructor
    needs besides the sizes. Raises `rnn_harness.errors.UsageError`.
    """
    from rnn_harness.validation import identify as find
    from rnn_harness.validation import target_of

    return find(target_of(_name(cell), cell, options))


def validate(
    cell: Any,
    spec: str = "auto",
    seed: int = 0,
    examples: int = 5,
    dtypes: tuple[str, ...] = ("float64", "float32"),
    **options: Any,
) -> Validation:
    """Whether `cell` (see `identify`) is right, decided in this process.

    `spec`: an id that it must have, a spec file of one's own, or ``auto``. Raises `rnn_harness.errors.UsageError`.
    """
    from rnn_harness.errors import UsageError
    from rnn_harness.validation import ValidationRequest, collect, target_of, validating

    for name, value in (("seed", seed), ("examples", examples)):
        if value < 0:
            raise UsageError(f"{name} is {value}, expected 0 or more")
    wish = ValidationRequest(spec, seed, examples, dtypes, options=tuple(options.items()))
    return collect(_name(cell), validating(target_of(_name(cell), cell, options), wish))


def parametrize_with_cells(*cells: Any, spec: str = "auto", **options: Any) -> Any:
    """A pytest decorator: a test ``def test_cell(cell, check): check(cell)`` for every check of every cell.

    `cells`: as `validate` takes them, or ``package.module:Name``, which runs in a process of its own. Needs pytest.
    """
    from rnn_harness.pytest_plugin import parametrize_with_cells as parametrize

    return parametrize(*cells, spec=spec, **options)


def _name(cell: Any) -> str:
    """``module:Name`` of a class or a function, the class's name of an object."""
    if hasattr(cell, "__qualname__"):
        return f"{cell.__module__}:{cell.__qualname__}"
    return type(cell).__qualname__
