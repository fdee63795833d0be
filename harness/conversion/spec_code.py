"""A plain function that converts weights between two layouts of one spec, with NumPy and without this package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rnn_harness.conversion.conversion_code import formed_text, layers_lines, plain_text
from rnn_harness.specs.dimensions import Dimension
from rnn_harness.validation.spec_search.slot_map import SlotMap
from rnn_harness.validation.spec_search.slots import Slot
from rnn_harness.validation.spec_search.spec_pieces import SpecPiece


def spec_code(names: tuple[str, str], tables: tuple[SlotMap, SlotMap], negated: frozenset[str] = frozenset()) -> str:
    """Write the program.

    Args:
        names: The two targets.
        tables: Their parameter maps, of one spec.
        negated: The weights of the spec whose signs differ.

    Returns:
        A module with a function ``convert`` of a dictionary of arrays; empty where a parameter is stored in a form, or
        has sizes, that no such function is written for.
    """
    slots = [slot for table in tables for slot, _ in table.roles]
    if any(slot.form.taps or not slot.shape or slot.is_column for slot in slots):
        return ""
    axes = [axis for slot in slots for axis in (*slot.shape, slot.start)]
    if any(symbol not in "nd" for axis in axes for symbol, _ in axis.terms):
        return ""
    sizes = dict(_sizes(tables[0]))
    return "\n".join(_lines(names, tables, sizes, negated)) + "\n" if set(sizes) == {"n", "d"} else ""


def _lines(
    names: tuple[str, str], tables: tuple[SlotMap, SlotMap], sizes: Mapping[str, str], negated: frozenset[str]
) -> Iterator[str]:
    first, second = tables
    pieces = dict.fromkeys(role.piece for table in tables for _, role in table.roles)
    variables = {piece: _variable(piece, list(pieces)) for piece in pieces}
    sources: dict[SpecPiece, list[str]] = {}
    for slot, role in first.roles:
        sources.setdefault(role.piece, []).append(_view(slot) + (".T" if role.flipped else ""))
    targets = dict.fromkeys(role.piece for _, role in second.roles)
    yield f'"""Weights of {names[0]} as weights of {names[1]}."""'
    yield ""
    yield "import numpy as np"
    yield ""
    yield ""
    yield "def convert(a):"
    yield '    """Convert one layer: arrays by name go in, and come out by the names of the other."""'
    yield f"    d = {sizes['d']}"
    yield f"    n = {sizes['n']}"
    for piece, rows in sources.items():
        total = " + ".join(rows)
        yield f"    {variables[piece]} = {f'-({total})' if piece.parameter in negated else total}"
    for piece in sources:
        if piece not in targets:
            yield f"    if {variables[piece]}.any():"
            yield f'        raise ValueError("{names[1]} needs that {piece.parameter} is zero")'
    for piece in targets:
        if piece not in sources:
            yield f"    {variables[piece]} = np.zeros(({', '.join(_size(axis) for axis in piece.shape)},))"
    yield "    return {"
    seen: set[SpecPiece] = set()
    for parameter in dict.fromkeys(slot.parameter for slot, _ in second.roles):
        rows_of_blocks: dict[int, list[tuple[Slot, str]]] = {}
        for slot, role in second.roles:
            if slot.parameter == parameter:
                text = variables[role.piece] if role.piece not in seen else f"0 * {variables[role.piece]}"
                seen.add(role.piece)
                rows_of_blocks.setdefault(slot.block, []).append((slot, f"{text}.T" if role.flipped else text))
        yield f"        {parameter!r}: {_stored(rows_of_blocks)},"
    yield "    }"
    own_names = tuple(tuple(dict.fromkeys(slot.parameter for slot, _ in table.roles)) for table in tables)
    yield from layers_lines(own_names[0], own_names[1])


def _variable(piece: SpecPiece, pieces: list[SpecPiece]) -> str:
    """Name a piece: as its parameter is named, with a number where that has several."""
    siblings = [other for other in pieces if other.parameter == piece.parameter]
    name = re.sub(r"\W", "_", piece.parameter)
    return name if len(siblings) == 1 else f"{name}_{siblings.index(piece) + 1}"


def _sizes(table: SlotMap) -> Iterator[tuple[str, str]]:
    """Yield n and d as texts, each read off a parameter one of whose axes is that size alone."""
    for symbol in "dn":
        for slot, _ in table.roles:
            text = plain_text(slot.parameter, slot.form)
            if slot.shape[0] == Dimension(((symbol, 1),)):
                yield symbol, f"len({text})" + (f" // {slot.of}" if slot.of > 1 else "")
                break
            if len(slot.shape) == 2 and slot.width == slot.shape[1] == Dimension(((symbol, 1),)):
                yield symbol, f"{text}.shape[1]"
                break
            if symbol == "n" and len(slot.shape) == 2 and slot.width.terms == (("d", 1), ("n", 1)):
                rest = f"{text}.shape[1] - d"  # inputs and state side by side
                yield symbol, f"{rest} - {slot.width.constant}" if slot.width.constant else rest
                break


def _size(axis: Dimension) -> str:
    """Write a size."""
    terms = [symbol if factor == 1 else f"{factor} * {symbol}" for symbol, factor in axis.terms]
    return " + ".join([*terms, *([str(axis.constant)] if axis.constant or not terms else [])])


def _view(slot: Slot) -> str:
    """Write one slot of a parameter as an expression."""
    text, height = plain_text(slot.parameter, slot.form), _size(slot.shape[0])
    if slot.of > 1:
        text += f"[{slot.block} * ({height}):{slot.block + 1} * ({height})]".replace("(d)", "d")
    if len(slot.shape) == 2 and slot.width != slot.shape[1]:
        start = _size(slot.start)
        text += f"[:, {start}:{start} + {_size(slot.shape[1])}]"
    return text


def _stored(blocks: Mapping[int, list[tuple[Slot, str]]]) -> str:
    """Write a parameter of the second cell as it is stored."""
    rows = []
    for number in sorted(blocks):
        # The operands of a joined matrix begin where those before them end: fewer symbols come first.
        parts = sorted(blocks[number], key=lambda part: (len(part[0].start.terms), part[0].start.constant))
        texts = [text for _, text in parts]
        rows.append(texts[0] if len(texts) == 1 else f"np.hstack([{', '.join(texts)}])")
    return formed_text(rows, next(iter(blocks.values()))[0][0].form)
