"""Is the output what the documentation of a model says in words: that of the top layer, or the last step?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.validation.models.check_directions import FEWEST_STEPS, read_steps
from rnn_harness.validation.models.lists_of_layers import numbered_parts, outputs_over_time
from rnn_harness.validation.models.part_calls import is_packed, part_calls
from rnn_harness.validation.models.statement import WiringStatement, agrees, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "documented-outputs"
_TOP_LAYER = re.compile(
    r"\b(top|topmost|last|final|upper|uppermost|highest)[- ]layer('s)?\b[^.;]{0,40}\boutputs?", re.I
)
_LAST_STEP = re.compile(
    r"\b(last|final) ((valid|real|true|actual|unpadded|non-?padded|non-?pad) )?(time[- ]?)?step('s)?\b", re.I
)


def check_documented_outputs(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Compare which layer and which step the outputs come from with the words of the documentation.

    Args:
        model: The model; nothing is said where its documentation has no such words.
    """
    text = " ".join(filter(None, (type(model.module).__doc__, type(model.module).forward.__doc__)))
    if match := _TOP_LAYER.search(text):
        yield from _layer(model, " ".join(match[0].split()))
    if match := _LAST_STEP.search(text):
        yield from _step(model, " ".join(match[0].split()))


def _layer(model: ModelUnderTest, words: str) -> Iterator[WiringStatement]:
    """See whether an output over time is that of the last layer of a list, or of another one."""
    for parts in numbered_parts(model):
        calls = [part_calls(model.baseline, part) for part in parts]
        if not all(calls):
            continue
        over_time = [outputs_over_time(each) for each in calls]
        sources = [
            number
            for output in model.baseline.outputs
            for number, values in enumerate(over_time)
            if _is_same(output, values)
        ]
        if not sources:
            continue
        if len(parts) - 1 in sources:
            yield agrees(CHECK, f"its output is that of {parts[-1].shown_name}, the {words} of its documentation")
        else:
            sentence = (
                f"its documentation says {words!r}; its output is that of {parts[sources[0]].shown_name}, and the last "
                f"layer is {parts[-1].shown_name}"
            )
            yield refuted(CHECK, sentence, parts[-1].name)


def _step(model: ModelUnderTest, words: str) -> Iterator[WiringStatement]:
    """See whether the one step of a layer that is read is the last one."""
    for part in model.called_parts:
        calls = part_calls(model.baseline, part) if part.is_layer and part.directions == 1 else []
        if len(calls) != 1 or calls[0].steps < FEWEST_STEPS or is_packed(calls[0].call):
            continue
        read, last = read_steps(model, part, calls[0], 0), calls[0].steps - 1
        if len(read.steps) != 1 or read.final:
            continue
        if read.steps == (last,):
            yield agrees(CHECK, f"of {part.shown_name} the last step is read, as its documentation says", part.name)
        else:
            sentence = (
                f"its documentation says {words!r}; of {part.shown_name} it reads step {read.steps[0] + 1} of "
                f"{last + 1}"
            )
            yield refuted(CHECK, sentence, part.name)


def _is_same(output: Tensor, over_time: Tensor) -> bool:
    """Whether an output holds the numbers of a layer, with time or with the batch first."""
    import torch

    return any(
        output.shape == laid_out.shape and torch.equal(output, laid_out)
        for laid_out in (over_time, over_time.transpose(0, 1))
    )
