"""Input features and biases: M-05, M-06, M-13, M-14, M-44.

Every property takes the subject on the numbers of a case, and yields comparisons that must hold (see the package).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_harness.checks.metamorphic.cell_traits import everything, input_weights
from rnn_harness.checks.metamorphic.comparison import Comparison, runs_close
from rnn_harness.checks.metamorphic.property import metamorphic_property
from rnn_harness.checks.metamorphic.subject_run import SubjectRun
from rnn_harness.checks.metamorphic.transform import along, take
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.subjects.parameter_role import parameter_role


def with_constant_feature(arrays: CaseArrays, part: float) -> CaseArrays:
    """Append an input feature that is always 1 and move part of every bias into its weights.

    Args:
        arrays: Numbers with n input features.
        part: The share of each bias that moves into the new column of the input weights next to it.

    Returns:
        Numbers with n + 1 input features.
    """
    parameters = dict(arrays.parameters)
    for weight in input_weights(arrays.parameters):
        bias = arrays.parameters.get(parameter_role(weight).bias.name)
        column = np.zeros(len(arrays.parameters[weight])) if bias is None else bias * part
        parameters[weight] = np.column_stack([arrays.parameters[weight], column]).astype(arrays.inputs.dtype)
        if bias is not None:
            parameters[parameter_role(weight).bias.name] = bias - (bias * part).astype(arrays.inputs.dtype)
    constant = np.ones((*arrays.inputs.shape[:2], 1), arrays.inputs.dtype)
    return replace(arrays, parameters=parameters, inputs=np.concatenate([arrays.inputs, constant], axis=2))


@metamorphic_property(
    "input-feature-permutation",
    "M-05",
    "permuting the input features with their weights changes nothing",
    "rounding",
    everything,
)
def input_feature_permutation(original: SubjectRun) -> Iterator[Comparison]:
    """M-05: W -> W Q^T, x -> Q x.

    Args:
        original: Any subject on a case; with one input feature, n = 1, nothing is yielded.
    """
    n = original.sizes["n"]
    if n > 1:
        order = np.roll(np.arange(n), 1)
        arrays = original.arrays
        parameters = along(arrays.parameters, take(order, n), "input")
        inputs = np.ascontiguousarray(arrays.inputs[..., order])
        yield from runs_close(original, original.at(replace(arrays, parameters=parameters, inputs=inputs)))


@metamorphic_property(
    "input-reparametrisation",
    "M-06",
    "an invertible change of the inputs is undone by the weights",
    "rounding",
    everything,
)
def input_reparametrisation(original: SubjectRun) -> Iterator[Comparison]:
    """M-06: W -> W A, x -> A^-1 x, with A = 1 + N, N the upper shift: exact on the grain of the draws.

    Args:
        original: Any subject on a case; with n = 1, or in float32, whose numbers the change would round, nothing is
            yielded.
    """
    n = original.sizes["n"]
    if n > 1 and original.dtype == np.float64:
        arrays = original.arrays
        shift = np.eye(n, dtype=arrays.inputs.dtype) + np.eye(n, k=1, dtype=arrays.inputs.dtype)
        inverse = np.rint(np.linalg.inv(shift.astype(np.float64))).astype(arrays.inputs.dtype)
        parameters = along(arrays.parameters, lambda _n, value, _a, _k: value @ shift, "input")
        changed = replace(arrays, parameters=parameters, inputs=arrays.inputs @ inverse.T)
        yield from runs_close(original, original.at(changed))


@metamorphic_property(
    "bias-as-input-weight", "M-13", "a bias is the weight of a constant input", "rounding", lambda traits: traits.bias
)
def bias_as_input_weight(original: SubjectRun) -> Iterator[Comparison]:
    """M-13: Append 1 to x, W' = [W, b], b' = 0.

    Args:
        original: A subject with biases.
    """
    yield from runs_close(original, original.at(with_constant_feature(original.arrays, 1.0)))


@metamorphic_property(
    "bias-in-two-places", "M-14", "a bias may be shared out between two places", "rounding", lambda traits: traits.bias
)
def bias_in_two_places(original: SubjectRun) -> Iterator[Comparison]:
    """M-14: Append 1 to x, W' = [W, b/2], b' = b/2.

    Args:
        original: A subject with biases.
    """
    yield from runs_close(original, original.at(with_constant_feature(original.arrays, 0.5)))


@metamorphic_property("one-hot-input", "M-44", "a one-hot input picks a column of the weights", "rounding", everything)
def one_hot_input(original: SubjectRun) -> Iterator[Comparison]:
    """M-44: W e_j = W[:, j]: the same as a single feature that is always 1, with that column as its weight.

    Args:
        original: Any subject on a case, whose inputs are replaced by the code of the last feature; with n = 1 nothing
            is yielded.
    """
    arrays = original.arrays
    n = original.sizes["n"]
    if n > 1:
        picked = n - 1
        code = np.zeros_like(arrays.inputs)
        code[..., picked] = 1
        parameters = along(arrays.parameters, lambda _n, value, _axis, _k: value[:, picked : picked + 1], "input")
        a = original.at(replace(arrays, inputs=code))
        b = original.at(replace(arrays, inputs=np.ones_like(arrays.inputs[..., :1]), parameters=parameters))
        yield from runs_close(a, b)
