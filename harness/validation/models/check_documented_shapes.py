"""Have the outputs the shape that the documentation of a model gives them, along the axes of steps and rows?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.models.statement import WiringStatement, agrees, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import nn

CHECK = "documented-shapes"
_SHAPE = r"[(\[]\s*(\w+(?:\s*,\s*[\w*+ ]+)+?)\s*[)\]]"
_GRID_WORD = re.compile(
    r"(b|n|bs|bsz|batch(_?size)?|rows?|t|l|s|seq(_?len(gth)?)?|time(_?steps)?|steps|seq(uence)?_?length|len(gth)?)$",
    re.I,
)
"""What an axis of rows or of steps is called; another word may be one of features."""
_ARROW = re.compile(rf"{_SHAPE}\s*(?:->|→|=>)\s*(?:[a-z]\w*:?\s+)?{_SHAPE}")


@dataclass(frozen=True)
class DocumentedShapes:
    """What a documentation says of the shapes of an input and of what comes of it.

    Attributes:
        input: The words for the axes of the input.
        output: The words for the axes of the first output.
        words: Where it says so, as it stands there.
    """

    input: tuple[str, ...]
    output: tuple[str, ...]
    words: str


def documented_shapes(module: nn.Module) -> DocumentedShapes | None:
    """Read the shapes that a documentation writes with an arrow between them, as ``(B, T, n) -> (B, T, 2H)``.

    Args:
        module: The module, of which the docstrings of its class and of its forward are read. Comments are not: they
            speak of what is computed on the way.

    Returns:
        The shapes; None where it has none, or several that differ, or an axis of the input that is no plain word.
    """
    words_of_shapes: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}
    for text in filter(None, (type(module).__doc__, type(module).forward.__doc__)):
        for match in _ARROW.finditer(text):
            shapes = tuple(tuple(word.strip() for word in match[group].split(",")) for group in (1, 2))
            words_of_shapes.setdefault((shapes[0], shapes[1]), " ".join(match[0].split()))
    if len(words_of_shapes) != 1:
        return None
    ((axes_in, axes_out), words) = next(iter(words_of_shapes.items()))
    is_plain = all(word.isidentifier() for word in axes_in) and len(set(axes_in)) == len(axes_in)
    return DocumentedShapes(axes_in, axes_out, words) if is_plain else None


def check_documented_shapes(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """See whether an axis of the output that its documentation calls as one of the input is as long as that.

    Refuted is what is joined along such an axis, or has steps and rows exchanged. Fewer steps, as a stride leaves, are
    often called by the same letter.

    Args:
        model: The model; nothing is said where its documentation has no shapes with an arrow between them, or shapes of
            other numbers of axes.
    """
    documented, argument = documented_shapes(model.module), model.arguments.of_role("sequence")[0]
    sequence = argument.passed
    if documented is None or argument.order or sequence.dim() != len(documented.input):
        return  # an order of its own: its axes are others than those that are told apart
    words = {documented.input[axis]: sequence.shape[axis] for axis in model.arguments.grid}
    lengths: Mapping[str, int] = {word: length for word, length in words.items() if _GRID_WORD.match(word)}
    shared = [(axis, word) for axis, word in enumerate(documented.output) if word in lengths]
    outputs = [output for output in model.baseline.outputs if output.dim() == len(documented.output)]
    if not shared or not outputs:
        return
    if any(all(output.shape[axis] == lengths[word] for axis, word in shared) for output in outputs):
        if len(shared) == len(words):
            yield agrees(CHECK, f"its output is laid out as its documentation says, {documented.words}")
        return
    output = outputs[0]
    for axis, word in shared:
        length = output.shape[axis]
        is_exchanged = length != lengths[word] and length in lengths.values()
        if (length > lengths[word] and length % lengths[word] == 0) or is_exchanged:
            sentence = (
                f"its documentation says {documented.words}; for an input {tuple(sequence.shape)} it gives "
                f"{tuple(output.shape)}: {word} is {lengths[word]} in the one and {length} in the other"
            )
            yield refuted(CHECK, sentence)
            return
