"""Several inputs of one width, as a cell of a series with gaps has them: side by side in what a target reads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.specs.program import Program


def input_width(program: Program, width: int) -> int:
    """Return n, the width of each input of a program.

    Args:
        program: The equations of the target; all their inputs are equally wide.
        width: The width of all its inputs together.
    """
    return width // len(program.inputs)


def inputs_apart(program: Program, inputs: Array) -> dict[str, Array]:
    """Cut what a target reads into the inputs of its equations, by name.

    Args:
        program: The equations; their inputs are equally wide.
        inputs: (T, B, n of all inputs).
    """
    names = [variable.name for variable in program.inputs]
    return dict(zip(names, np.split(inputs, len(names), -1), strict=True))


def inputs_together(inputs: Mapping[str, Array]) -> Array:
    """Put inputs side by side, as a target reads them.

    Args:
        inputs: Each (T, B, n), in the order of the equations.
    """
    return np.concatenate(list(inputs.values()), -1)
