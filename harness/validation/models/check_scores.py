"""Do the scores of each step add up to one, where a model gives a distribution over its tokens?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.arithmetic.assumptions import STRUCTURAL
from rnn_harness.validation.models.statement import WiringStatement, agrees, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "scores"
_AXES = ("first", "second", "last")


def check_scores(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """See over which axis the scores for tokens, or their exponentials, add up to one.

    A step's distribution over the tokens cannot add up to one over the steps, or over the rows, instead: then the
    scores of a step depend on those of other steps. Weights over the steps, as of attention, are no scores of tokens:
    they have another size than the vocabulary.

    Args:
        model: The model; nothing is said unless it reads tokens, and gives a number for every place and token.
    """
    sequence, vocabulary = model.arguments.sequence, model.arguments.vocabulary
    for output, name in zip(model.baseline.outputs, model.baseline.output_names, strict=True):
        wanted = (*sequence.shape, vocabulary)
        if vocabulary < 2 or len(wanted) != 3 or tuple(output.shape) != wanted or not output.is_floating_point():
            continue
        axes = _axes_of_sums(output, STRUCTURAL[model.format])
        title = name or "the output"
        if axes == [2]:
            yield agrees(CHECK, f"the scores of {title} for each token add up to one at every step")
        elif len(axes) == 1:
            axis = _AXES[axes[0]]
            sentence = (
                f"the scores for the {vocabulary} tokens add up to one over the {axis} axis of {title}, that of rows "
                "or steps, and not over the tokens: a softmax runs over the wrong axis"
            )
            yield refuted(CHECK, sentence)


def _axes_of_sums(output: Tensor, tolerance: float) -> list[int]:
    """List the axes over which all sums of the numbers, or of their exponentials, are one."""
    for scores in (output, output.exp()):
        if bool((scores < 0).any()) or not bool(scores.isfinite().all()):
            continue
        axes = [axis for axis in range(3) if bool(((scores.sum(axis) - 1).abs() <= tolerance).all())]
        if axes:
            return axes
    return []
