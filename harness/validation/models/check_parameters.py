"""Have the parameters beside the recurrent parts an influence: weights of attention, of a head?"""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.validation.models.statement import WiringStatement, agrees, listed
from rnn_harness.validation.models.under_test import ModelUnderTest
from rnn_harness.validation.models.unread_parts import silent_parameters

CHECK = "parameters"


def check_parameters(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Change every parameter that belongs to no recurrent part, and see whether an output changes.

    It decides nothing: what is not used in evaluation, or held for later, has no influence in a right model.

    Args:
        model: The model; outputs that are no real numbers, as tokens, do not show small changes.
    """
    if not all(output.is_floating_point() for output in model.baseline.outputs):
        return
    names = silent_parameters(model)
    if names:
        verb = "has" if len(names) == 1 else "have"
        yield agrees(
            CHECK,
            f"{listed(names)} {verb} no influence on any output, with the numbers that were tried: unused weights may "
            "be meant; a softmax over one place, whose weights are always 1, is not",
        )
