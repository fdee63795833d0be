r"""Layers that a document counts by a letter: ``h^{l-1}_t`` is the input of one layer, whose state is ``h^{l}_t``."""

from __future__ import annotations

import re

from rnn_harness.specs.draft.grouping import EquationGroup

_LETTER = r"(?:\\ell|[a-zL])"
_BELOW = re.compile(rf"(?P<letter>{_LETTER})\s*-\s*1(?![0-9])")
_ABOVE = re.compile(rf"(?P<letter>{_LETTER})\s*\+\s*1(?![0-9])")


def layer_notes(group: EquationGroup) -> list[str]:
    r"""Say in a comment what a step of one layer, or of several, takes from the layer below.

    Args:
        group: The equations of a step.

    Returns:
        A line for each symbol of the layer below; none where no symbol carries a layer.
    """
    if group.has_layers:
        return ["l counts layers: each takes what the layer below it gives, and the first one takes x"]
    inputs = dict.fromkeys(s.name for s in group.symbols if s.time == 0 and s.name not in group.definitions)
    notes = []
    for name in inputs:
        for state in group.definitions:
            letter = _counting_letter(group, name, state)
            if letter:
                notes.append(
                    f"{letter} counts layers: {name} is {state} of the layer below, and the input of this one layer"
                )
    return notes


def _counting_letter(group: EquationGroup, below: str, state: str) -> str:
    """The letter that counts the layers of two symbols that differ in nothing else; empty where they differ in more.

    Plain names drop the sign, so that the one below is ``h_l1`` where it is printed with ``l-1``, and ``h_l`` where its
    own layer is printed with ``l+1``.
    """
    printed = [(_BELOW, f"{state}1" == below, state), (_ABOVE, f"{below}1" == state, below)]
    for pattern, is_a_layer_apart, plain in printed:
        if not is_a_layer_apart:
            continue
        for definition in group.definitions.values():
            for match in pattern.finditer(definition.text):
                letter = match["letter"]
                if letter != group.letter and plain.endswith(f"_{letter.removeprefix(chr(92))}"):
                    return letter.removeprefix(chr(92))
    return ""
