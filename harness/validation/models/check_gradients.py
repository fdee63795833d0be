"""Do gradients reach the recurrent parts, and are they those of the values?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.runtime.target_gradients import target_gradients
from rnn_harness.validation.consistency.difference_quotients import (
    Path,
    Slope,
    has_jumps,
    loses_a_little_step,
    middle_entry,
    slopes,
)
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.models.check_sharing import source_of
from rnn_harness.validation.models.run_model import run_model
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor, nn

CHECK = "gradients"
_WANTED = re.compile(
    r"no_grad|freez|frozen|stop.?grad|truncat|bptt|revers(e|al).{0,9}grad|grad.{0,9}revers|straight.?through",
    re.IGNORECASE,
)


def check_gradients(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Compare gradients, through every output alone, with difference quotients of that output.

    Args:
        model: The model, with outputs in float64; for those of another dtype the check is not run. The parameters of
            every recurrent part move together, and those of every other module that it calls.
    """
    import torch

    outputs = model.baseline.outputs
    if any(output.dtype != torch.float64 for output in outputs):
        yield not_run(CHECK, "gradients are compared with difference quotients in float64 alone")
        return
    cotangents = [_normal(output, 31 + index) for index, output in enumerate(outputs)]
    parts = {part.name: part.shown_name for part in model.called_parts}
    others = [name for name in model.watched if name not in parts and model.baseline.of(name)]
    direct = [name for name, value in model.module.named_parameters(recurse=False) if value.requires_grad]
    if direct and "" not in parts:  # an initial state that is learned, say
        yield from _compare(
            model, f"its own parameter{'s' * (len(direct) > 1)} {', '.join(direct)}", direct, cotangents
        )
    for name in (*parts, *others):
        prefix = f"{name}." if name else ""
        module = model.module.get_submodule(name)
        names = [prefix + own for own, value in module.named_parameters() if value.requires_grad]
        if names:
            yield from _compare(model, parts.get(name, name), names, cotangents, name in parts)


def _has_rounded_parameters(model: ModelUnderTest, names: Sequence[str]) -> bool:
    """Whether a little step of one entry of a parameter is lost, as where weights are rounded."""
    parameters = dict(model.module.named_parameters(remove_duplicate=False))

    def path_of(name: str) -> Path:
        value = parameters[name].detach()
        entry = middle_entry(value)
        return lambda distance: model.changed_parameters([name], lambda _: value + distance * entry).outputs

    return any(loses_a_little_step(path_of(name), "float64") for name in names)


def _compare(
    model: ModelUnderTest, part: str, names: Sequence[str], cotangents: Sequence[Tensor], is_recurrent: bool = True
) -> Iterator[WiringStatement]:
    """Compare the two along a random direction in the parameters of one module."""
    parameters = dict(model.module.named_parameters(remove_duplicate=False))
    directions = [_normal(parameters[name], 7 + index) for index, name in enumerate(names)]

    def path(distance: float) -> tuple[Tensor, ...]:
        moved = iter(
            [
                parameters[name].detach() + distance * direction
                for name, direction in zip(names, directions, strict=True)
            ]
        )
        return model.changed_parameters(names, lambda _: next(moved)).outputs

    measured = slopes(path, cotangents, "float64")
    computed = _gradient_slopes(model, names, directions, cotangents)
    wrong = [k for k, slope in enumerate(measured) if _contradicts(computed[k], slope)]
    if wrong and (has_jumps(path, cotangents, "float64") or _has_rounded_parameters(model, names)):
        yield not_run(CHECK, f"the outputs are no smooth function of the parameters of {part}")
        return
    if not wrong:
        if any(abs(slope.value) > slope.error for slope in measured):
            yield agrees(CHECK, f"the gradient of {part} is that of the outputs")
        else:
            yield not_run(CHECK, f"the outputs do not depend on the parameters of {part}")
        return
    place = next((k for k in wrong if computed[k].value), wrong[0])
    slope, through = measured[place].value, f" through output {place}" if len(measured) > 1 else ""
    is_lost = not computed[place].value
    if is_lost:
        sentence = (
            f"no gradient reaches {part}{through}, though the outputs change with its parameters (by {slope:.6g} along "
            "a direction): it is detached from them"
        )
    else:
        detail = f"along a direction it is {computed[place].value:.6g}, and the outputs change by {slope:.6g}"
        sentence = f"the gradient of {part}{through} is not that of the outputs: {detail}"
    # What is no recurrent part may be cut off on purpose, as a frozen embedding is; and one output of several, as a
    # state that is kept for the next call, or the value that an agent expects.
    is_cut_in_part = is_lost and any(gradient.value for gradient in computed)
    if _WANTED.search(source_of(model.module)) or (is_lost and not is_recurrent) or is_cut_in_part:
        yield not_run(CHECK, f"{sentence}; whether that is meant is unknown")
    else:
        yield refuted(CHECK, sentence, part)


class _Computed(NamedTuple):
    """A gradient along a direction.

    Attributes:
        value: The sum of gradient times direction.
        size: The sum of their absolute products.
    """

    value: float
    size: float


def _contradicts(computed: _Computed, measured: Slope) -> bool:
    """Say whether a gradient is not the slope, by more than what is unknown of both."""
    allowed = measured.error + STRUCTURAL["float64"] * (computed.size + abs(measured.value))
    return not abs(computed.value - measured.value) <= allowed


def _normal(template: Tensor, seed: int) -> Tensor:
    """Standard normal numbers in the shape of a tensor."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return torch.randn(template.shape, generator=generator, dtype=torch.float64).to(template.dtype)


def _gradient_slopes(
    model: ModelUnderTest, names: Sequence[str], directions: Sequence[Tensor], cotangents: Sequence[Tensor]
) -> list[_Computed]:
    """The gradients along the direction, through each output alone, in evaluation mode.

    What has no gradient there may have one in training mode, with every dropout off.
    """
    computed = [_Computed(0.0, 0.0)] * len(cotangents)
    for module in (copied_module(model.module), _in_training_without_dropout(copied_module(model.module))):
        try:
            run = run_model(module, model.arguments, gradients=True, is_fresh=False)
        except Exception:  # training may need what evaluation does not
            continue
        parameters = dict(module.named_parameters(remove_duplicate=False))
        leaves = [parameters[name] for name in names]
        pairs = zip(run.outputs, cotangents, strict=True)
        computed = [
            before if before.value else _along(output, cotangent, leaves, directions)
            for before, (output, cotangent) in zip(computed, pairs, strict=True)
        ]
    return computed


def _along(output: Tensor, cotangent: Tensor, leaves: Sequence[Tensor], directions: Sequence[Tensor]) -> _Computed:
    """The gradient of one output along a direction."""
    if not output.requires_grad:
        return _Computed(0.0, 0.0)
    gradients = target_gradients([output], list(leaves), [cotangent], retain_graph=True)
    products = [
        gradient * direction for gradient, direction in zip(gradients, directions, strict=True) if gradient is not None
    ]
    return _Computed(sum(float(p.sum()) for p in products), sum(float(p.abs().sum()) for p in products))


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
