"""Numbers that a candidate gives, as a worker returns them: for cases that the process which waits draws as well."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case, Dtype
from rnn_harness.errors import NotRun
from rnn_harness.runtime.plain_array import PlainArray
from rnn_harness.specs.schema import Equation, SpecModel
from rnn_harness.validation.cells.cell_model import CellModel

if TYPE_CHECKING:
    from rnn_harness.evaluation.evaluation import Evaluation
    from rnn_harness.kernels import Kernel, Setting

MOST_NUMBERS = 2**18
"""Gradients of more parameters than that stay with the worker; of outputs, inputs and states they are few."""
MOST_JUDGED_CASES = 1_000
"""Of more cases on which a candidate was judged the numbers stay with the worker: memory does not grow with them."""
MOST_JUDGED_NUMBERS = 2**16
"""As `MOST_NUMBERS`, of the cases on which it was judged: they are some more, and few of them have fixed sizes."""
_SEED = 18_020
"""Before the seed of a run, so that no check draws the same numbers."""


@dataclass(frozen=True)
class GeneratedFrom:
    """What a spec was written from.

    Attributes:
        model: The features of the cell.
        names: The reference's names of its parameters.
    """

    model: CellModel
    names: tuple[str, ...]


@dataclass(frozen=True)
class ReturnedCase:
    """What a candidate gave on one case.

    Attributes:
        outputs: The outputs (T, B, d).
        finals: The final states (B, d) by the reference's names.
        gradients: By flat name; empty where the candidate has none.
    """

    outputs: PlainArray
    finals: dict[str, PlainArray]
    gradients: dict[str, PlainArray]


@dataclass(frozen=True)
class JudgedCase:
    """What a candidate gave when it was judged.

    Attributes:
        case: What it was run on.
        numbers: What it gave.
    """

    case: Case
    numbers: ReturnedCase


@dataclass(frozen=True)
class NumbersReturned:
    """A worker's message of what a candidate gave in one dtype, and as what it is to be judged.

    Attributes:
        kernel: The candidate as it is named in the records.
        dtype: The name of the format in which it was run.
        spec: The spec that it was held against.
        used: The equations that the spec takes from others.
        generated: What the spec was written from; None where it is a shipped one or the user's.
        alternatives: The ids of equations of the spec by which the candidate may compute.
        absent: What the spec has and the candidate has not, as `Subject.absent`.
        has_absolute_function_error: Whether its functions are accurate against 1 and not against their own value.
        is_single_inside: Whether it computes in float32 though its numbers are float64.
        sizes: The only sizes that it exists for, by letter; empty where it exists for any.
        cases: What it gave, one for each of `reevaluated_cases`.
        judged: What it gave on the first of the cases on which it was judged, but for those that could show nothing.
    """

    kernel: str
    dtype: str
    spec: SpecModel
    used: tuple[Equation, ...]
    generated: GeneratedFrom | None
    alternatives: tuple[str, ...]
    absent: tuple[str, ...]
    has_absolute_function_error: bool
    is_single_inside: bool
    sizes: dict[str, int]
    cases: tuple[ReturnedCase, ...]
    judged: tuple[JudgedCase, ...]


def reevaluated_cases(spec_id: str, dtype: Dtype, seed: int, sizes: Mapping[str, int]) -> tuple[Case, ...]:
    """List the cases for which numbers are returned: short ones, so that bounds are finite whatever the cell.

    Args:
        spec_id: The id of the spec.
        dtype: The name of the format of all numbers.
        seed: The seed of the run.
        sizes: The only sizes that the candidate exists for; empty where it exists for any.
    """
    cases = (
        Case(spec=spec_id, dtype=dtype, seed=_SEED + 2 * seed, T=3, scale=0.5),
        Case(spec=spec_id, dtype=dtype, seed=_SEED + 2 * seed + 1, T=2, n=2, d=5, B=3),
    )
    return tuple(case.model_copy(update=dict(sizes)) for case in cases)


def leaves_out_parameters(shapes: Mapping[str, tuple[int, ...]], most: int) -> bool:
    """Say whether a cell has so many parameters that their gradients are not returned.

    Args:
        shapes: The shapes of all parameters.
        most: The numbers of which gradients are returned.
    """
    return sum(math.prod(shape) for shape in shapes.values()) > most


def returned_numbers(
    kernel: Kernel,
    setting: Setting,
    seed: int,
    generated: GeneratedFrom | None,
    judged: Mapping[Case, ReturnedCase],
) -> NumbersReturned:
    """Run a candidate on the cases, in the worker.

    Args:
        kernel: The candidate in the place of a kernel, with what is known of how it rounds.
        setting: The dtype, and the device.
        seed: The seed of the run.
        generated: What its spec was written from; None where it is a shipped one or the user's.
        judged: What it gave on the cases on which it was judged.
    """
    cases = reevaluated_cases(kernel.specification.id, setting.dtype, seed, kernel.fixed_sizes or {})  # type: ignore[arg-type]
    further = tuple(JudgedCase(case, numbers) for case, numbers in judged.items())
    return replace(numbers_of_cases(kernel, setting, cases, generated), judged=further)


def numbers_of_cases(
    kernel: Kernel, setting: Setting, cases: tuple[Case, ...], generated: GeneratedFrom | None
) -> NumbersReturned:
    """Run a candidate on some cases, in the worker.

    Args:
        kernel: The candidate in the place of a kernel, with what is known of how it rounds.
        setting: The dtype, and the device.
        cases: What it is run on.
        generated: What its spec was written from; None where it is a shipped one or the user's.
    """
    spec = kernel.specification
    return NumbersReturned(
        kernel.id,
        setting.dtype,
        spec.model,
        spec.used,
        generated,
        kernel.alternatives,
        kernel.subject(setting).absent,
        kernel.absolute_function_error,
        kernel.is_single_inside,
        dict(kernel.fixed_sizes or {}),
        tuple(returned_case(kernel.evaluation(setting, case), MOST_NUMBERS) for case in cases),
        (),
    )


def returned_case(evaluation: Evaluation, most: int) -> ReturnedCase:
    """Return what a candidate gives on one case as plain data.

    Args:
        evaluation: The candidate on the case; what it has computed already is not computed again.
        most: The numbers of parameters of which gradients are returned.
    """
    leaves_out = leaves_out_parameters(evaluation.subject.parameter_shapes(evaluation.case.sizes), most)
    gradients: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        outputs, finals = evaluation.run.outputs, evaluation.run.finals
        with contextlib.suppress(NotRun):  # what has no gradients is judged by its outputs
            gradients = evaluation.flat_gradients
    return ReturnedCase(
        PlainArray.of(outputs),
        {name: PlainArray.of(value) for name, value in finals.items()},
        {
            name: PlainArray.of(value)
            for name, value in gradients.items()
            if not (leaves_out and name.startswith("parameters."))
        },
    )
