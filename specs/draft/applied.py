r"""Letters that are applied as functions: in ``f(W x_t + U h_{t-1})`` f is no matrix."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fractions import Fraction

from rnn_harness.specs.draft.definition import Definition, labelled, mapped
from rnn_harness.specs.notation import Binary, Bracket, Call, Name, Number, Tree
from rnn_harness.specs.notation.syntax import Tuple
from rnn_harness.specs.symbols import denote

_BY_LETTER = frozenset({"f", "g", "h", "Phi", "Psi", "Theta", "rho", "theta", "chi"})
"""Letters that are functions where they stand before a parenthesis and nowhere else; of others the text must say it."""
_SCRIPT = re.compile(r"\\(?:mathcal|mathscr|cal)\s*\{?\s*([A-Z])")


def applied_letters(
    definitions: Iterable[Definition], told_letters: Collection[str], targets: Collection[str]
) -> frozenset[str]:
    """Find the letters that a display applies as functions.

    Args:
        definitions: The equations of the display.
        told_letters: Letters of which the text says that they are functions.
        targets: What the equations of the document give: no function, unless the text says so.

    Returns:
        Their plain names: letters that stand before a parenthesis wherever they stand without a time.
    """
    definitions = list(definitions)
    script = {letter for definition in definitions for letter in _SCRIPT.findall(definition.displayed.text)}
    applied: set[str] = set()

    def note(tree: Tree) -> Tree:
        applied.add(applied_letter(tree))
        return tree

    for definition in definitions:
        mapped(definition.tree, note)
    by_letter = _BY_LETTER | script
    candidates = {n for n in applied - {""} if n in by_letter or n in told_letters or n.partition("_")[0] in by_letter}
    with_functions = [with_applied(definition, frozenset(candidates)) for definition in definitions]
    alone = {s.name for definition in with_functions for s in definition.reads if s.time is None}
    gates = {definition.target for definition in definitions} | (set(targets) - set(told_letters))
    return frozenset(candidates - alone - gates)


def with_applied(definition: Definition, letters: frozenset[str]) -> Definition:
    """Return an equation whose letters for functions are applied; its text is the same.

    Args:
        definition: The equation.
        letters: The plain names of the functions.
    """
    if not letters:
        return definition

    def change(tree: Tree) -> Tree:
        plain = applied_letter(tree)
        if plain not in letters or not isinstance(tree, Binary):
            return tree
        call = Call(plain, tree.right, tree.column)
        return call if isinstance(tree.left, Name) or not isinstance(tree.left, Binary) else _behind(tree.left, call)

    tree = mapped(definition.tree, change)
    return definition if tree == definition.tree else definition.with_tree(tree)


def _behind(factors: Binary, call: Call) -> Binary:
    """Put a call in the place of the last factor of a row."""
    return Binary(factors.sign, factors.left, call, factors.column)


def applied_letter(tree: Tree) -> str:
    """Return the plain name of the letter that stands before a parenthesis; empty where none does.

    Args:
        tree: A part of an equation.
    """
    if not isinstance(tree, Binary) or tree.sign or not tree.parenthesised:
        return ""
    before = tree.left.right if isinstance(tree.left, Binary) and not tree.left.parenthesised else tree.left
    if not isinstance(before, Name) or before.sup or before.accent:
        return ""
    symbol = denote(before, "t", frozenset(), {})
    return symbol.name if symbol.time is None and symbol.step is None else ""


LINEAR = frozenset({"Linear", "linear", "Lin", "Dense", "dense", "FC", "Affine", "affine"})
"""Words for a layer with weights and a bias of its own."""


def with_own_weights(definition: Definition, affine: frozenset[str]) -> Definition:
    r"""Return an equation in which every ``Linear(x)`` is a matrix and a bias of its own.

    Args:
        definition: The equation.
        affine: Letters of which the text says that they are such maps.
    """
    target = definition.printed_target
    label = f"{target.base}{target.accent}" + re.sub(r"\W|(?<![A-Za-z])t(?![A-Za-z])", "", target.sub)
    count = 0

    def change(tree: Tree) -> Tree:
        nonlocal count
        argument = _linear_argument(tree, LINEAR | affine)
        if argument is None:
            return tree
        count += 1
        below = label if count == 1 else f"{label},{'abcdefgh'[(count - 2) % 8]}"
        items = _items(argument)
        inside = Bracket(items, argument.column) if len(items) > 1 else argument
        is_in_parentheses = not isinstance(inside, Bracket | Name)
        product = Binary("", Name("W", sub=below), inside, tree.column, parenthesised=is_in_parentheses)
        return Binary("+", product, Name("b", sub=below), tree.column)

    tree = mapped(definition.tree, change)
    if not count:
        return definition
    weights_text = f"a matrix and a bias of its own, W_{label} and b_{label}"
    note = f"each linear layer in the equation of {definition.target} is {weights_text}"
    return definition.written(tree, note)


def with_bias_of_ones(definition: Definition) -> Definition:
    """Return an equation in which the column of a matrix that multiplies a 1, ``W [1; x]``, is a bias of its own.

    Args:
        definition: The equation.
    """
    cut: dict[str, str] = {}

    def change(tree: Tree) -> Tree:
        match tree:
            case Binary(sign="" | "*" | "\\cdot", left=Name() as matrix, right=Bracket(items=items)):
                vectors = tuple(item for item in items if item != Number(Fraction(1)))
                if not vectors or len(vectors) == len(items):
                    return tree
                bias = Name("b", sub=matrix.sub or "1")
                cut[_plain(matrix)] = _plain(bias)
                inside = Bracket(vectors, tree.column) if len(vectors) > 1 else vectors[0]
                is_sum = not isinstance(inside, Bracket | Name)
                product = Binary("", matrix, inside, tree.column, parenthesised=is_sum)
                return Binary("+", product, bias, tree.column)
        return tree

    tree = mapped(definition.tree, change)
    notes = [f"the column of {matrix} that multiplies the 1 is the bias {bias}" for matrix, bias in cut.items()]
    return definition.written(tree, "; ".join(notes)) if cut else definition


def _plain(name: Name) -> str:
    """Return the plain name of a weight."""
    return labelled(denote(name, "t", frozenset(), {})).name


def _items(tree: Tree) -> tuple[Tree, ...]:
    """Return the parts of a bracket or of arguments; another tree alone."""
    return tree.items if isinstance(tree, Bracket | Tuple) else (tree,)


def _linear_argument(tree: Tree, layers: frozenset[str]) -> Tree | None:
    """Return what a linear layer is applied to; None where there is none."""
    match tree:
        case Call(function=function, argument=argument) if function in layers:
            return argument
        case Binary(sign="", left=Name(base=base), right=right) if base in layers:
            return right
    return None
