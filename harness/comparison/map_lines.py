"""How the weights of one cell follow from those of another, in lines to read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnn_harness.comparison.cell_description import CellDescription
from rnn_harness.comparison.relation import Relation

_BLOCK = re.compile(r", block (\d+) of (\d+)")


def map_lines(relation: Relation, left_side: CellDescription, right_side: CellDescription) -> tuple[str, ...]:
    """Write how the weights of the right follow from the left's, by the names that both have for them.

    Args:
        relation: The rules.
        left_side: Where the first target keeps its parameters.
        right_side: Where the second keeps its.
    """
    lines = []
    for rule in relation.rules:
        source = " + ".join(left_side.places.get(rule.left, ())) or "0"
        change = "" if str(rule) == f"{rule.right} = {rule.left}" else f"  ({rule})"
        lines.append(f"{' + '.join(right_side.places.get(rule.right, (rule.right,)))}  <-  {source}{change}")
    return whole_parameters(sorted(lines))


def whole_parameters(lines: Sequence[str]) -> tuple[str, ...]:
    """Write one line for all blocks of parameters, where each follows from the block in the same place.

    Args:
        lines: A line for each block, as in ``w, block 1 of 2  <-  v, block 1 of 2``.

    Returns:
        ``w  <-  v`` in the place of its lines, where none of them is missing or has a change of its own.
    """
    places: dict[tuple[str, str], set[str]] = {}
    for line in lines:
        if (key := _whole(line)) is not None:
            places.setdefault(key[:2], set()).add(key[2])
    result: list[str] = []
    for line in lines:
        key = _whole(line)
        is_whole = key is not None and len(places[key[:2]]) == int(key[1])
        result.append(key[0] if key is not None and is_whole else line)
    return tuple(dict.fromkeys(result))


def _whole(line: str) -> tuple[str, str, str] | None:
    """Return a line without its block, how many blocks there are, and which it is; None where these are several.

    Blocks that are interleaved, or transposed by themselves, make no whole.
    """
    if "interleaved" in line or "lies" in line:
        return None
    blocks = set(_BLOCK.findall(line))
    if len(blocks) != 1 or len(_BLOCK.findall(line)) != line.count(" + ") + 2:
        return None
    ((place, count),) = blocks
    return _BLOCK.sub("", line), count, place
