"""Do the gradients of a call survive another call that is made before the backward?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.runtime.target_gradients import target_gradients
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.models.run_model import run_model
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor, nn

CHECK = "two-calls"


def check_two_calls(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Differentiate a call at once, and after another one with other inputs: the gradients must be equal bit for bit.

    Args:
        model: The model; what has no gradients, or raises at the second call, is not decided.
    """
    names = [name for name, value in model.module.named_parameters() if value.requires_grad]
    if not names:
        return
    try:
        expected = _gradients(model, copied_module(model.module), names, calls_again=False)
        repeated = _gradients(model, copied_module(model.module), names, calls_again=False)
        computed = _gradients(model, copied_module(model.module), names, calls_again=True)
    except Exception as error:  # what it keeps need not fit a second call
        yield not_run(CHECK, f"two calls before one backward: it raises {type(error).__name__}")
        return
    if not expected or _differing(repeated, expected):
        return
    if wrong := _differing(computed, expected):
        sentence = (
            f"another call before the backward changes the gradients of {', '.join(wrong)}: what the first call left "
            "for it is overwritten"
        )
        yield refuted(CHECK, sentence)
    else:
        yield agrees(CHECK, "another call before the backward leaves the gradients alone")


def _gradients(
    model: ModelUnderTest, module: nn.Module, names: list[str], *, calls_again: bool
) -> dict[str, Tensor | None]:
    """The gradients of the outputs of one call, by parameter; another call may stand before the backward."""
    import torch

    run = run_model(module, model.arguments, gradients=True, is_fresh=False)
    results = [output for output in run.outputs if output.requires_grad]
    if not results:
        return {}
    if calls_again:
        run_model(module, model.arguments.moved(model.places[0]), gradients=True, is_fresh=False)
    generator = torch.Generator().manual_seed(41)
    cotangents = [
        torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output.dtype) for output in results
    ]
    parameters = dict(module.named_parameters())
    gradients = target_gradients(results, [parameters[name] for name in names], cotangents)
    return dict(zip(names, gradients, strict=True))


def _differing(computed: dict[str, Tensor | None], expected: dict[str, Tensor | None]) -> list[str]:
    """Name the parameters whose gradients are not the same."""
    import torch

    return [
        name
        for name, gradient in expected.items()
        if (other := computed.get(name)) is not gradient
        and (other is None or gradient is None or not torch.equal(other, gradient))
    ]
