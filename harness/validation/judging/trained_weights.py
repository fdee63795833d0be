"""A candidate's trained weights, read without running anything that a file may hold, and judged as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks import Check
from rnn_harness.checks.check import Finding, applies_to_all, compare_with_balls, worst_finding
from rnn_harness.errors import NotRun, UsageError, first_line
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.subjects.case_arrays import draw_arrays
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind
from rnn_harness.validation.cells.parameter_blocks import BlockMap
from rnn_harness.validation.judging.torch_mode_checks import candidate_driver
from rnn_harness.validation.loading.adapters import import_library
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target

STEPS = 4
"""Time steps that trained weights are tried on."""


def load_weights(path: Path) -> dict[str, Array]:
    """Read arrays by name from a ``.safetensors`` file, or from one that torch saved (with ``weights_only``).

    Args:
        path: The file; its ending says which of both it is.

    Returns:
        Arrays in the dtypes of the file.

    Raises:
        UsageError: There is no such file, or it holds something else.
    """
    if not path.is_file():
        raise UsageError(f"there is no file of weights {path}")
    tensors: Any
    if path.suffix == ".safetensors":
        safetensors = import_library("safetensors.torch", "weights")
        try:
            tensors = safetensors.load_file(path)
        except Exception as error:  # its errors share no base class
            raise UsageError(f"{path} is no safetensors file: {first_line(error)}") from None
    else:
        import torch

        try:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # pickle raises many kinds of errors, and torch advises to run what the file says
            raise UsageError(
                f"{path} cannot be read as weights alone; expected a state_dict that torch.save wrote, or a "
                ".safetensors file"
            ) from None
    if not isinstance(tensors, dict) or not all(hasattr(value, "numpy") for value in tensors.values()):
        raise UsageError(f"{path} holds a {type(tensors).__name__}; expected a state_dict: tensors by name")
    weights = {}
    for name, value in tensors.items():
        try:
            weights[str(name)] = value.detach().double().numpy()
        except Exception as error:  # a sparse or a quantised tensor, or one that is larger than the memory
            raise UsageError(f"{path}: {name!r} is no array of real numbers: {first_line(error)}") from None
    return weights


def check_weights(path: Path, target: Target) -> None:
    """Check that a file can be read, and that its values for the target's parameters are finite.

    Args:
        path: The file.
        target: The target whose parameters the file is for; a name of only one of both says nothing.

    Raises:
        UsageError: They are not; the message says where.
    """
    weights = load_weights(path)
    names = dict(target.make_module(*(target.capabilities.fixed_sizes or TRIAL_SIZES)).named_parameters())
    present = [name for name in names if name in weights]
    broken = [_where_not_finite(name, weights[name]) for name in present if not np.isfinite(weights[name]).all()]
    if broken:
        raise UsageError(f"{path}: {'; '.join(broken)}; expected finite numbers: a cell cannot be judged with these")


def _where_not_finite(name: str, value: Array) -> str:
    """Say how many numbers of an array are not finite, and where the first of them stands."""
    places = np.argwhere(~np.isfinite(value))
    first = f"{name}[{', '.join(map(str, places[0]))}]"
    return f"{first} is {value[tuple(places[0])]} ({len(places)} of {value.size} numbers of {name} are not finite)"


def weights_check(weights: dict[str, Array]) -> Check:
    """Make the check that a candidate with these weights is within the bound, outputs and gradients.

    Args:
        weights: Arrays by the target's parameter names, as `load_weights` reads them.
    """

    def run(evaluation: Evaluation) -> Iterator[Finding]:
        trained = _evaluation_with(weights, evaluation)
        spec = evaluation.subject.spec.id
        balls = np.stack([step[evaluation.subject.output_name] for step in trained.balls.steps])
        findings = [compare_with_balls(spec, "with the weights of the file: output", balls, trained.run.outputs)]
        try:
            gradients = trained.flat_gradients
        except NotRun:
            gradients = {}
        findings += [
            compare_with_balls(spec, f"with the weights of the file: gradient {name}", ball, gradients[name])
            for name, ball in trained.gradient_balls.items()
            if name in gradients
        ]
        yield worst_finding(findings)

    return Check("weights.trained", "kernel", applies_to_all, run, dtypes=("float64", "float32"))


def _evaluation_with(weights: dict[str, Array], evaluation: Evaluation) -> Evaluation:
    """Evaluate the candidate with given weights, in their sizes. Raises NotRun if some are lacking."""
    table = candidate_driver(evaluation).table
    if not isinstance(table, BlockMap):
        raise NotRun("weights of a file are tried on cells of the three families alone")
    names = {block.parameter for block in table.blocks}
    lacking = sorted(names - set(weights))
    if lacking:
        raise NotRun(f"the file of weights has no {', '.join(lacking)}; it has {', '.join(sorted(weights))}")
    n, d = _sizes(table, weights)
    arrays = draw_arrays(evaluation.case.model_copy(update={"n": n, "d": d, "T": STEPS}), evaluation.subject)
    shapes = {name: value.shape for name, value in arrays.parameters.items()}
    trained = table.unpack({name: weights[name] for name in names}, shapes)
    parameters = {
        name: trained[name].astype(arrays.inputs.dtype) if name in trained else value
        for name, value in arrays.parameters.items()
    }
    return evaluation.on(replace(arrays, parameters=parameters))


def _sizes(table: BlockMap, weights: dict[str, Array]) -> tuple[int, int]:
    """Read n and d off the shapes of weights; a weight on both inputs and state is n + d wide."""
    forms = dict(table.forms)
    d = n = joined_width = 0
    for block in table.blocks:
        plain = forms[block.parameter].plain(weights[block.parameter])
        d = len(plain) // block.of
        if block.side:
            joined_width = plain.shape[1]
        elif is_kind(block.name, ParameterKind.INPUT):
            n = plain.shape[1]
    return n or joined_width - d, d
