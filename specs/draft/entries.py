r"""Equations of one entry: ``h_i = f(\sum_j W_{ij} x_j + b_i)`` is ``h = f(W x + b)``, and ``x_t^d`` is one of x_t."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from rnn_harness.specs.draft.applied import applied_letter
from rnn_harness.specs.draft.definition import Definition, mapped
from rnn_harness.specs.notation import Binary, Name, Number, Tree, names
from rnn_harness.specs.notation.syntax import Total
from rnn_harness.specs.symbols import denote


def parts_of(name: Name) -> list[str]:
    """Return the labels below and above a name, one by one.

    Args:
        name: A printed name, with its sub- and superscripts.
    """
    return [part.strip() for part in (*name.sub.split(","), *name.sup.split(",")) if part.strip()]


def without_part(name: Name, part: str) -> Name:
    """Return a name without one of its labels.

    Args:
        name: A printed name, with its sub- and superscripts.
        part: The label.
    """
    below = [label.strip() for label in name.sub.split(",")] if name.sub else []
    above = [label.strip() for label in name.sup.split(",")] if name.sup else []
    for labels in (below, above):
        if part in labels:
            labels.remove(part)
            break
    return replace(name, sub=",".join(below), sup=",".join(above))


def _without(part: str, tree: Tree) -> Tree:
    """Return a name without one of its labels; another tree as it is."""
    return without_part(tree, part) if isinstance(tree, Name) else tree


def with_whole_vectors(definitions: Sequence[Definition]) -> list[Definition]:
    """Return the equations with those of one entry written for the whole vector.

    An equation is one of an entry where every symbol of it carries the same letter, and another equation has one of
    them without it.

    Args:
        definitions: The equations of a document.
    """
    plain = [{_plain(name, d.letter) for name in (d.printed_target, *names(d.tree))} for d in definitions]
    result = []
    for number, definition in enumerate(definitions):
        elsewhere = set().union(*(names_found for position, names_found in enumerate(plain) if position != number))
        result.append(_for_all_entries(definition, elsewhere))
    return result


def _for_all_entries(definition: Definition, elsewhere: set[str]) -> Definition:
    """Write an equation of an entry for the whole vector; another one stays."""
    letter = definition.letter
    printed = [definition.printed_target, *names(definition.tree)]
    for index in dict.fromkeys(parts_of(definition.printed_target)):
        if (
            not re.fullmatch(r"[a-z]", index)
            or index in (letter, "l")
            or any(index not in parts_of(n) for n in printed)
        ):
            continue
        bare = {_plain(without_part(name, index), letter) for name in printed}
        if not bare & elsewhere or {_plain(name, letter) for name in printed} & elsewhere:
            continue
        tree = mapped(definition.tree, functools.partial(_without, index))
        target = without_part(definition.printed_target, index)
        note = f"the equation of {_plain(target, letter)} is printed for its entry {index}, and written for all entries"
        return replace(
            definition.written(tree, note, target), kinds={**definition.kinds, **dict.fromkeys(bare, "vector")}
        )
    return definition


def _plain(name: Name, letter: str) -> str:
    """Return the plain name of a printed one."""
    return denote(name, letter, frozenset(), {}).name


def entries_given_whole(definitions: Sequence[Definition]) -> dict[int, str]:
    """Find equations of one entry of what another equation gives whole.

    Args:
        definitions: The equations of a document.

    Returns:
        The reason to leave an equation out, by its number.
    """
    lines = {definition.target: definition.displayed.line for definition in definitions}
    reasons = {}
    for number, definition in enumerate(definitions):
        for index in parts_of(definition.printed_target):
            if not re.fullmatch(r"[a-z]", index) or index in (definition.letter, "l"):
                continue
            vector = _plain(without_part(definition.printed_target, index), definition.letter)
            carries = sum(index in parts_of(name) for name in names(definition.tree))
            if vector in lines and vector != definition.target and carries >= 2:
                reasons[number] = f"gives the entry {index} of {vector}, which line {lines[vector]} gives whole"
    return reasons


def with_products(tree: Tree, target: Name, letter: str) -> tuple[Tree, Name, dict[str, str]] | None:
    r"""Write sums over an index as products of a matrix and a vector, and leave the entry of the target out.

    Args:
        tree: The right side: ``b_i + \sum_j W_{ij} x_j``.
        target: The left side, which carries the entry i.
        letter: The letter that counts time.

    Returns:
        The right side and the left side for all entries, and what their symbols are, vectors or matrices; None where no
        sum stands, a symbol does not carry the entry, or a sum is no product.
    """
    outside = list(names(mapped(tree, _without_sums)))
    for index in parts_of(target):
        if not re.fullmatch(r"[a-z]", index) or index == letter or any(index not in parts_of(n) for n in outside):
            continue
        try:
            kinds = {_plain(without_part(name, index), letter): "vector" for name in outside}
            product_tree = mapped(tree, functools.partial(_product, index, kinds))
        except ValueError:
            continue
        if product_tree != tree:
            return mapped(product_tree, functools.partial(_without, index)), without_part(target, index), kinds
    return None


def _without_sums(tree: Tree) -> Tree:
    """Return a number in the place of a sum, and what a letter is applied to in the place of both."""
    if isinstance(tree, Total):
        return Number(Fraction(0))
    return tree.right if applied_letter(tree) and isinstance(tree, Binary) else tree


def _product(index: str, kinds: dict[str, str], tree: Tree) -> Tree:
    """Return the product that a sum is; another tree as it is. Raises ValueError where a sum is no product."""
    if not isinstance(tree, Total):
        return tree
    over = tree.index
    body = tree.body
    if not isinstance(body, Binary) or body.sign not in ("", "*", "\\cdot"):
        raise ValueError("the summand is no product")
    factors = (body.left, body.right)
    for matrix, vector in (factors, factors[::-1]):
        if not isinstance(matrix, Name) or not isinstance(vector, Name) or over not in parts_of(vector):
            continue
        pair = next((p for p in parts_of(matrix) if p in (f"{index}{over}", f"{over}{index}")), "")
        if not pair and not {index, over} <= set(parts_of(matrix)):
            continue
        bare = without_part(matrix, pair) if pair else without_part(without_part(matrix, index), over)
        kinds[_plain(bare, "")] = "matrix"
        if pair == f"{over}{index}":
            bare = replace(bare, sup=",".join(filter(None, (bare.sup, "T"))))
        return Binary("", bare, without_part(vector, over), tree.column)
    raise ValueError("the summand is no entry of a matrix times an entry of a vector")
