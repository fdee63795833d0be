"""Does the model draw random numbers in evaluation?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.arithmetic.assumptions import SAME_SCALE
from rnn_harness.validation.models.model_arguments import named_tensors
from rnn_harness.validation.models.run_model import ModelRun, ModuleCall, run_model
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "evaluation"


def check_randomness(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Run it in evaluation mode with other random numbers: the outputs must stay.

    Args:
        model: The model, in evaluation mode.
    """
    reseeded = run_model(model.module, model.arguments, model.watched, seed=1)
    if not model.is_changed_by(reseeded):
        yield agrees(CHECK, "in evaluation it draws no random numbers")
        return
    if model.is_changed_by(model.run()):
        yield not_run(CHECK, "in evaluation the same call twice gives other numbers, from the same random numbers too")
        return
    place = _dropout(model.baseline)
    if place is None:
        yield not_run(CHECK, "in evaluation it draws random numbers")
        return
    before, after = place
    sentence = (
        f"in evaluation there is dropout between {before} and {after or 'the output'}: entries of it are zero and the "
        "remaining ones are scaled, by other random numbers in every call"
    )
    yield refuted(CHECK, sentence, before)


def _dropout(run: ModelRun) -> tuple[str, str] | None:
    """Name the two modules between which some numbers become zero and the others are scaled alike."""
    for index, call in enumerate(run.calls):
        for tensor in _tensors(call.arguments):
            for earlier in run.calls[:index]:
                if any(_is_dropped(tensor, source) for source in _tensors(earlier.result)):
                    return earlier.name, call.name
    for output in run.outputs:
        for call in run.calls:
            if any(_is_dropped(output, source) for source in _tensors(call.result)):
                return call.name, ""
    # A loop over steps hands on one step at a time.
    for call in run.calls:
        for tensor in _tensors(call.arguments):
            for earlier in run.calls:
                steps = [step for source in _tensors(earlier.result) for step in _steps(source)]
                if earlier is not call and any(_is_dropped(tensor, step) for step in steps):
                    return earlier.name, call.name
    return None


def _tensors(value: ModuleCall | object) -> list[Tensor]:
    """The tensors of arguments or of a result that hold numbers."""
    return [tensor for _, tensor in named_tensors(value) if tensor.is_floating_point()]


def _steps(tensor: Tensor) -> list[Tensor]:
    """The steps of a sequence, along its first axis and along its second."""
    return [*tensor.unbind(0), *tensor.unbind(1)] if tensor.dim() == 3 else []


def _is_dropped(tensor: Tensor, source: Tensor) -> bool:
    """Whether a tensor is another one with some entries zero and the others scaled alike.

    What is zero for all numbers below a bound is no dropout: a rectifier behind what was drawn at random does that.
    """
    if tensor.shape != source.shape or not bool(source.all()):
        return False
    ratios = (tensor / source).flatten()
    zeros, others = source.flatten()[ratios == 0], source.flatten()[ratios != 0]
    if len(zeros) and len(others) and float(zeros.max()) < float(others.min()):
        return False
    remaining = ratios[ratios != 0]
    if not 0 < len(remaining) < len(ratios):
        return False
    return float((remaining - remaining[0]).abs().max()) <= SAME_SCALE * abs(float(remaining[0]))
