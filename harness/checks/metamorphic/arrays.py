"""How arrays are handed over: intact, in any memory layout, in either precision. M-45, M-46, M-47.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.checks.metamorphic.cell_traits import everything
from rnn_harness.checks.metamorphic.comparison import Comparison, identical, runs_close
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun


@metamorphic_property(
    "repeatability", "M-45", "a run leaves what it was given alone, and can be repeated", "bitwise", everything
)
def repeatability(original: SubjectRun) -> Iterator[Comparison]:
    """M-45: Inputs, states, weights and gradients are intact afterwards; both passes repeat bit for bit.

    Args:
        original: Any subject on a case; it is run anew, so that arrays it has changed show.
    """
    before = {name: value.copy() for name, value in original.numbers.items()}
    first = original.at(original.arrays)
    outputs = first.run.outputs.copy()
    gradients = {name: value.copy() for name, value in first.gradients.parameters.items()}
    yield identical("outputs after the backward", first.run.outputs, outputs)
    for name, value in first.subject.backward(
        first.run, first.arrays.d_outputs, first.arrays.d_finals or None
    ).parameters.items():
        yield identical(f"second backward, {name}", value, gradients[name])
    yield identical("second forward", original.at(first.arrays).run.outputs, outputs)
    for name, value in first.numbers.items():
        yield identical(f"{name} after the run", value, before[name])


@metamorphic_property(
    "memory-layout", "M-46", "the layout of the arrays in memory does not matter", "rounding", everything
)
def memory_layout(original: SubjectRun) -> Iterator[Comparison]:
    """M-46: Fortran order, and slices of larger arrays, give what contiguous arrays give.

    Args:
        original: Any subject on a case whose arrays are contiguous; parameters are handed over in Fortran order, inputs
            and states as every second entry of larger arrays.
    """

    def spread(
        value: np.ndarray[tuple[int, ...], np.dtype[np.floating]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
        larger = np.zeros((*value.shape[:-1], 2 * value.shape[-1] + 1), value.dtype)
        larger[..., 1::2] = value
        return larger[..., 1::2]

    arrays = original.arrays
    yield from runs_close(
        original,
        original.at(
            replace(
                arrays,
                parameters={name: np.asfortranarray(value) for name, value in arrays.parameters.items()},
                inputs=spread(arrays.inputs),
                states={name: spread(value) for name, value in arrays.states.items()},
            )
        ),
    )


@metamorphic_property(
    "float32-precision",
    "M-47",
    "in float32 the results lie within the float32 bound of the true ones",
    "rounding",
    everything,
)
def float32_precision(original: SubjectRun) -> Iterator[Comparison]:
    """M-47: On inputs rounded to float32, the run in float32 and the run in float64 differ by the float32 bound.

    Args:
        original: Any subject on a case, in either dtype.
    """
    low = original.in_dtype("float32")
    high = low.in_dtype("float64")
    yield from runs_close(low, high)
