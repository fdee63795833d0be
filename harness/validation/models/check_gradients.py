"""Do gradients reach the recurrent parts, and are they those of the values?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rnn_harness.arithmetic.assumptions import QUOTIENT_STEP, QUOTIENT_TRUNCATION, SCREEN_SINGLE
from rnn_harness.runtime.target_gradients import target_gradients
from rnn_harness.validation.models.check_sharing import source_of
from rnn_harness.validation.models.run_model import ModelRun, copied_module, run_model
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor, nn

CHECK = "gradients"
_WANTED = re.compile(r"no_grad|freez|frozen|stop.?grad|truncat|bptt", re.IGNORECASE)


def check_gradients(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Compare the gradient of every recurrent part, along one direction, with difference quotients of the outputs.

    Args:
        model: The model, with outputs in float64; for those of another dtype the check is not run.
    """
    import torch

    if any(output.dtype != torch.float64 for output in model.baseline.outputs):
        yield not_run(CHECK, "gradients are compared with difference quotients in float64 alone")
        return
    cotangents = [_normal(output, 31 + index) for index, output in enumerate(model.baseline.outputs)]
    for part in model.called_parts:
        prefix = f"{part.name}." if part.name else ""
        names = [
            prefix + name
            for name, value in model.module.get_submodule(part.name).named_parameters()
            if value.requires_grad
        ]
        if names:
            yield from _compare(model, part.shown_name, names, cotangents)


def _compare(
    model: ModelUnderTest, part: str, names: Sequence[str], cotangents: Sequence[Tensor]
) -> Iterator[WiringStatement]:
    """Compare the two along a random direction in the parameters of one part."""
    parameters = dict(model.module.named_parameters(remove_duplicate=False))
    directions = [_normal(parameters[name], 7 + index) for index, name in enumerate(names)]
    larger = QUOTIENT_STEP["float64"]
    quotients = [_quotient(model, names, directions, cotangents, step) for step in (larger, larger / 2)]
    slope = _slope(model, names, directions, cotangents)
    spread = abs(quotients[0] - quotients[1])
    if not quotients[1] or spread > SCREEN_SINGLE * abs(quotients[1]):
        yield not_run(
            CHECK, f"the outputs are no smooth function of the parameters of {part}, or do not depend on them"
        )
        return
    if (
        slope is not None
        and abs(slope - quotients[1]) <= SCREEN_SINGLE * abs(quotients[1]) + QUOTIENT_TRUNCATION * spread
    ):
        yield agrees(CHECK, f"the gradient of {part} is that of the outputs")
        return
    if slope:
        detail = f"along a direction it is {slope:.6g}, and the outputs change by {quotients[1]:.6g}"
        sentence = f"the gradient of {part} is not that of the outputs: {detail}"
    else:
        sentence = (
            f"no gradient reaches {part}, though the outputs change with its parameters (by {quotients[1]:.6g} along a "
            "direction): it is detached from them"
        )
    if _WANTED.search(source_of(model.module)):
        yield not_run(CHECK, f"{sentence}; its source speaks of that")
    else:
        yield refuted(CHECK, sentence, part)


def _normal(template: Tensor, seed: int) -> Tensor:
    """Standard normal numbers in the shape of a tensor."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return torch.randn(template.shape, generator=generator, dtype=torch.float64).to(template.dtype)


def _quotient(
    model: ModelUnderTest,
    names: Sequence[str],
    directions: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    step: float,
) -> float:
    """The central difference quotient of the weighted sum of the outputs."""
    by_name = dict(zip(names, directions, strict=True))
    parameters = dict(model.module.named_parameters(remove_duplicate=False))
    sums = []
    for sign in (step, -step):
        moved = iter([parameters[name].detach() + sign * by_name[name] for name in names])
        run = model.changed_parameters(names, lambda _, moved=moved: next(moved))  # type: ignore[misc]
        sums.append(_weighted(run, cotangents))
    return (float(sums[0]) - float(sums[1])) / (2 * step)


def _weighted(run: ModelRun, cotangents: Sequence[Tensor]) -> Tensor:
    """The sum of cotangent times output."""
    terms = [(output * cotangent).sum() for output, cotangent in zip(run.outputs, cotangents, strict=True)]
    total: Tensor = sum(terms[1:], terms[0])
    return total


def _slope(
    model: ModelUnderTest, names: Sequence[str], directions: Sequence[Tensor], cotangents: Sequence[Tensor]
) -> float | None:
    """The gradient along the direction, in evaluation mode or, where there is none, in training mode; None without."""
    import torch

    evaluation = copied_module(model.module)
    training = _in_training_without_dropout(copied_module(model.module))
    for module in (evaluation, training):
        try:
            run = run_model(module, model.arguments, gradients=True, is_fresh=False)
        except Exception:  # training may need what evaluation does not
            continue
        total = _weighted(run, cotangents)
        if not total.requires_grad:
            continue
        parameters = dict(module.named_parameters(remove_duplicate=False))
        gradients = target_gradients([total], [parameters[name] for name in names], [torch.ones_like(total)])
        slope = sum(
            float((gradient * direction).sum())
            for gradient, direction in zip(gradients, directions, strict=True)
            if gradient is not None
        )
        if slope:
            return slope
    return None


def _in_training_without_dropout(module: nn.Module) -> nn.Module:
    """Put a module in training mode, with the probability of every dropout layer zero."""
    from torch import nn

    module.train()
    for layer in module.modules():
        if isinstance(layer, nn.Dropout | nn.Dropout1d | nn.Dropout2d | nn.Dropout3d | nn.AlphaDropout):
            layer.p = 0.0
        if isinstance(layer, nn.RNNBase):
            layer.dropout = 0.0
    return module
