"""Somebody's trained weights, read without running anything that a file may hold, and tried as they are.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks import Check
from rnn_harness.checks.check import Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun, UsageError
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels.objective import kernel_of
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind
from rnn_harness.validation.loading.adapters import import_library
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target


def load_weights(path: Path) -> dict[str, Array]:
    """Arrays by name, of a ``.safetensors`` file or of one that torch saved (read with ``weights_only``).

    Raises UsageError.
    """
    if not path.is_file():
        raise UsageError(f"there is no file of weights {path}")
    if path.suffix == ".safetensors":
        safetensors = import_library("safetensors.torch", "weights")
        try:
            found: Any = safetensors.load_file(path)
        except Exception as error:  # its errors share no base class
            raise UsageError(f"{path} is no safetensors file: {error}") from None
    else:
        import torch

        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # pickle raises many kinds of errors
            raise UsageError(
                f"{path} cannot be read as weights alone: {str(error).splitlines()[0]}; save a state_dict, or a "
                ".safetensors file"
            ) from None
    if not isinstance(found, dict) or not all(hasattr(value, "numpy") for value in found.values()):
        raise UsageError(f"{path} holds a {type(found).__name__}; expected a state_dict: tensors by name")
    return {name: value.detach().double().numpy() for name, value in found.items()}


def check_weights(path: Path, target: Target) -> None:
    """That the file can be read, and that what it holds of the target's parameters are numbers. Raises UsageError."""
    found = load_weights(path)
    own = dict(target.make_module(*(target.capabilities.fixed_sizes or TRIAL_SIZES)).named_parameters())
    broken = [_told(name, found[name]) for name in own if name in found and not np.isfinite(found[name]).all()]
    if broken:
        raise UsageError(f"{path}: {'; '.join(broken)}; expected finite numbers: a cell cannot be judged with these")


def _told(name: str, value: Array) -> str:
    """How many numbers of a tensor are none, and where the first of them stands."""
    places = np.argwhere(~np.isfinite(value))
    first = f"{name}[{', '.join(map(str, places[0]))}]"
    return f"{first} is {value[tuple(places[0])]} ({len(places)} of {value.size} numbers of {name} are not finite)"


def weights_check(weights: dict[str, Array]) -> Check:
    """The candidate with those weights, over some steps: outputs and gradients within the bound."""

    def run(evaluation: Evaluation) -> Iterator[Finding]:
        driver = kernel_of(evaluation).driver
        assert isinstance(driver, TargetDriver), "weights are a candidate's"
        names = {piece.parameter for piece in driver.table.pieces}
        lacking = sorted(names - set(weights))
        if lacking:
            raise NotRun(f"the file of weights has no {', '.join(lacking)}; it has {', '.join(sorted(weights))}")
        n, d = _sizes(driver, weights)
        case = evaluation.case.model_copy(update={"n": n, "d": d, "T": 4})
        drawn = draw_arrays(case, evaluation.subject)
        shapes = {name: value.shape for name, value in drawn.parameters.items()}
        own = driver.table.unpack({name: weights[name] for name in names}, shapes)
        dtype = drawn.inputs.dtype
        parameters = {
            name: own[name].astype(dtype) if name in own else value for name, value in drawn.parameters.items()
        }
        again = evaluation.on(replace(drawn, parameters=parameters))
        balls = np.stack([step[evaluation.subject.output_name] for step in again.balls.steps])
        rows = [
            compare_with_balls(
                evaluation.subject.spec.id, "with the weights of the file: output", balls, again.run.outputs
            )
        ]
        try:
            found = again.flat_gradients
        except NotRun:
            found = {}
        rows += [
            compare_with_balls(
                evaluation.subject.spec.id, f"with the weights of the file: gradient {name}", value, found[name]
            )
            for name, value in again.gradient_balls.items()
            if name in found
        ]
        yield worst_finding(rows)

    return Check("weights.trained", "kernel", applies_to_all, run, dtypes=("float64", "float32"))


def _sizes(driver: TargetDriver, weights: dict[str, Array]) -> tuple[int, int]:
    """(n, d) that the weights have."""
    forms = dict(driver.table.forms)
    d = n = wide = 0
    for piece in driver.table.pieces:
        plain = forms[piece.parameter].plain(weights[piece.parameter])
        d = len(plain) // piece.of
        if piece.side:
            wide = plain.shape[1]
        elif is_kind(piece.name, ParameterKind.INPUT):
            n = plain.shape[1]
    return n or wide - d, d
