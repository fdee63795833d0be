"""A plain function that converts weights of one cell to those of another, with NumPy and without this package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnn_harness.comparison.relation import Condition, ParameterRule, Relation
from rnn_harness.conversion.layer_sets import FIRST_LAYER
from rnn_harness.subjects.parameter_role import ParameterKind, is_kind
from rnn_harness.validation.cells.parameter_blocks import BlockMap, ParameterBlock, StorageForm


def conversion_code(names: tuple[str, str], tables: tuple[BlockMap, BlockMap], relation: Relation) -> str:
    """Write the program.

    Args:
        names: The two targets.
        tables: Their parameter maps.
        relation: How the weights of the second follow from those of the first.

    Returns:
        A module with one function, ``convert``, of a dictionary of arrays.
    """
    return "\n".join(_lines(names, tables, relation)) + "\n"


def _lines(names: tuple[str, str], tables: tuple[BlockMap, BlockMap], relation: Relation) -> Iterator[str]:
    left_side, right_side = tables
    yield f'"""Weights of {names[0]} as weights of {names[1]}."""'
    yield ""
    yield "import numpy as np"
    yield ""
    yield ""
    yield "def convert(a):"
    yield '    """Convert one layer: arrays by name go in, and come out by the names of the other."""'
    yield f"    d = {_hidden_size(left_side)}"
    forms = dict(left_side.forms)
    parts: dict[str, list[str]] = {}
    for block in left_side.blocks:
        parts.setdefault(block.name, []).append(_block(block, forms[block.parameter], left_side))
    for name, rows in parts.items():
        yield f"    {name} = {' + '.join(rows)}"
    for condition in relation.left_conditions:
        if condition.name in parts:
            yield f"    if {_broken(condition, parts)}:"
            yield f'        raise ValueError("{names[1]} needs that {condition.sentence}")'
    for rule in relation.rules:
        if str(rule) != f"{rule.right} = {rule.left}":
            yield f"    {_new(rule.right)} = {_value(rule, parts)}"
    changed = {rule.right for rule in relation.rules if str(rule) != f"{rule.right} = {rule.left}"}
    yield "    return {"
    for parameter, form in right_side.forms:
        yield f"        {parameter!r}: {_stored(parameter, form, right_side, changed)},"
    yield "    }"
    yield from layers_lines(
        tuple(parameter for parameter, _ in left_side.forms), tuple(parameter for parameter, _ in right_side.forms)
    )


def layers_lines(names: Sequence[str], names_after: Sequence[str]) -> Iterator[str]:
    """Write a function that converts all layers and directions, where a cell numbers its layers as torch does.

    Args:
        names: The parameters of the first cell.
        names_after: The parameters of the second.
    """
    is_numbered, becomes_numbered = (all(name.endswith(FIRST_LAYER) for name in side) for side in (names, names_after))
    if not (is_numbered or becomes_numbered):
        return
    yield ""
    yield ""
    if not is_numbered:
        yield "def convert_layers(layers, directions=1):"
        yield '    """Convert a list of layers, the lowest first and forward before backward."""'
        yield "    result = {}"
        yield "    for place, layer in enumerate(layers):"
        yield '        suffix = f"_l{place // directions}" + "_reverse" * (place % directions)'
        yield "        for name, value in convert(layer).items():"
        yield f"            result[name[:-{len(FIRST_LAYER)}] + suffix] = value"
        yield "    return result"
        return
    yield "def convert_layers(a):"
    yield '    """Convert every layer and direction: arrays by the names of all layers go in."""'
    yield "    result = {}"
    yield '    for suffix in sorted({"_l" + name.rpartition("_l")[2] for name in a}):'
    yield f"        layer = {{name: a[name[:-{len(FIRST_LAYER)}] + suffix] for name in {tuple(names)!r}}}"
    if becomes_numbered:
        yield "        for name, value in convert(layer).items():"
        yield f"            result[name[:-{len(FIRST_LAYER)}] + suffix] = value"
    else:
        yield '        result[suffix[1:]] = convert(layer)  # by "l0", "l0_reverse", "l1" ...'
    yield "    return result"


def _new(name: str) -> str:
    """Name a weight of the second cell that differs from the first's."""
    return f"new_{name}"


def _hidden_size(table: BlockMap) -> str:
    """Write the hidden size: the rows of the first parameter over its blocks."""
    forms = dict(table.forms)
    block = next(block for block in table.blocks if not forms[block.parameter].vector)
    return f"len({plain_text(block.parameter, forms[block.parameter])}) // {block.of}".replace(" // 1", "")


def plain_text(parameter: str, form: StorageForm) -> str:
    """Write a parameter as rows of blocks, whatever its form.

    Args:
        parameter: Its name.
        form: How it is stored.
    """
    text = f"a[{parameter!r}]"
    if form.vector:
        text = text if not (form.lead or form.tail or form.ones) else f"{text}.reshape(-1)"
    elif form.lead:
        text = f"np.concatenate({f'np.swapaxes({text}, 1, 2)' if form.turned else text})"
    elif form.turned:
        text = f"{text}.T"
    if form.interleaved:
        text = f"np.concatenate([{text}[i::{form.interleaved}] for i in range({form.interleaved})])"
    return text


def _block(block: ParameterBlock, form: StorageForm, table: BlockMap) -> str:
    """Write one block of a parameter."""
    text = plain_text(block.parameter, form)
    if block.of > 1:
        start, end = (f"{'' if i == 1 else f'{i} * '}d" if i else "" for i in (block.block, block.block + 1))
        text += f"[{start}:{end}]" if block.block + 1 < block.of else f"[{start}:]"
    if block.side:
        is_first = (block.side == "h") == table.recurrent_first
        recurrent = ":d" if is_first else "-d:"
        rest = "d:" if table.recurrent_first else ":-d"
        text += f"[:, {recurrent if block.side == 'h' else rest}]"
    return f"{text}.T" if block.flipped and not form.vector else text


def _broken(condition: Condition, parts: dict[str, list[str]]) -> str:
    """Write what is true where a condition does not hold."""
    name = condition.name
    if condition.kind == "zero":
        return f"{name}.any()"
    if condition.kind == "diagonal":
        return f"({name} != np.diag(np.diag({name}))).any()"
    assert condition.tie is not None, "a tied parameter has a rule"
    return f"({name} != {_value(condition.tie, parts)}).any()"


def _value(rule: ParameterRule, parts: dict[str, list[str]]) -> str:
    """Write the value of a weight of the second cell."""
    offset = float(rule.offset)
    if rule.left not in parts:
        shape = "d"
        if not is_kind(rule.right, ParameterKind.BIAS, ParameterKind.RECURRENT_BIAS):
            shape = "(d, d)"
        return f"np.full({shape}, {offset:g})" if offset else f"np.zeros({shape})"
    text = {"": rule.left, "to a diagonal": f"np.diag({rule.left})", "to a matrix": f"np.diag({rule.left})"}[rule.form]
    text = f"-{text}" if rule.sign < 0 else text
    return f"{text} {'-' if offset < 0 else '+'} {abs(offset):g}" if offset else text


def _stored(parameter: str, form: StorageForm, table: BlockMap, changed: set[str]) -> str:
    """Write a parameter of the second cell as it is stored."""
    blocks = [block for block in table.blocks if block.parameter == parameter]
    first = {block.name: block for block in reversed(table.blocks)}
    rows: list[str] = []
    for number in range(blocks[0].of):
        here = [block for block in blocks if block.block == number]
        here.sort(key=lambda block: (block.side == "h") != table.recurrent_first)
        texts = []
        for block in here:
            text = _new(block.name) if block.name in changed else block.name
            text = text if first[block.name] is block else f"0 * {text}"
            texts.append(f"{text}.T" if block.flipped and not form.vector else text)
        rows.append(texts[0] if len(texts) == 1 else f"np.hstack([{', '.join(texts)}])")
    return formed_text(rows, form)


def formed_text(rows: list[str], form: StorageForm) -> str:
    """Write blocks in the form in which a parameter is stored.

    Args:
        rows: The blocks as expressions, in their order.
        form: How the parameter is stored.
    """
    listed = ", ".join(rows)
    if form.interleaved:
        stacked = f"np.stack([{listed}], axis=1)"
        text = f"{stacked}.reshape(-1)" if form.vector else f"{stacked}.reshape({len(rows)} * d, -1)"
    elif form.lead:
        joined = rows[0] if len(rows) == 1 else f"np.concatenate([{listed}])"
        text = f"np.stack([{listed}])" if form.lead == len(rows) else f"np.stack(np.split({joined}, {form.lead}))"
    else:
        text = rows[0] if len(rows) == 1 else f"np.concatenate([{listed}])"
    if form.vector:
        text = f"{text}[..., None]" if form.tail else text
        return f"np.expand_dims({text}, {form.ones})" if form.ones else text
    if form.turned:
        return f"np.swapaxes({text}, 1, 2)" if form.lead and not form.interleaved else f"{text}.T"
    return text
