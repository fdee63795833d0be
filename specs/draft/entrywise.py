r"""Products printed without a sign that are taken entry by entry: ``f_t c_{t-1}``, diagonal and small weights."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from rnn_harness.specs.draft.definition import Definition, mapped
from rnn_harness.specs.draft.displayed import text_between
from rnn_harness.specs.notation import Binary, Bracket, Call, Name, Negative, Tree, names
from rnn_harness.specs.symbols import Denoted, denote

_SIGNED = ("+", "-", "\\oplus", "\\odot", "\\circ", "\\otimes", "\\star", "/")
_ENTRYWISE_WORDS = re.compile(
    r"(element|component|entry|coordinate|point)[-\s]?wise|hadamard|element by element|entry by entry", re.I
)
_DIAGONAL = re.compile(r"\bdiagonal\b", re.I)
_NO_DIAGONAL = re.compile(r"block[- ]diagonal|(?:not|non|off)[- ]?diagonal|initiali[sz]|start", re.I)
_EXAMPLES = re.compile(r"\beg\b|for example|such as", re.I)
_FORMULAS = r"(?:\$[^$]+\$[\s,()]*(?:and|or|eg)?[\s,()]*)+"
_BEFORE = re.compile(rf"(?P<formulas>{_FORMULAS})[^$]{{0,60}}$")
_BEHIND = re.compile(rf"\s+(?:[a-z]+\s+){{0,2}}(?P<formulas>{_FORMULAS})")
_WEIGHT = re.compile(
    r"\$\s*(?:\\(?:mathbf|bm|boldsymbol|mathrm)\s*\{?\s*)?(?P<name>[A-Za-z])\}?(?:_(?:\{(?P<long>[^{}]*)\}|(?P<short>\w)))?"
    r"(?=[^$]*\$)[^$]*\$"
)
"""The first letter of a formula in a sentence, with its label."""


def says_entry_by_entry(text: str) -> bool:
    """Say whether a document speaks of products entry by entry.

    Args:
        text: The document.
    """
    return bool(_ENTRYWISE_WORDS.search(text))


def diagonal_weights(text: str) -> dict[str, bool]:
    """Find the weights of which a sentence says that they are diagonal.

    Args:
        text: The document.

    Returns:
        By plain name, whether it stands as an example for others of its kind.
    """
    is_example_of: dict[str, bool] = {}
    sentences = re.sub(r"\b(e|i)\.\s?(g|e)\.", r"\1\2", text_between(text)).split(".")
    for sentence in filter(_DIAGONAL.search, sentences):
        for match in _WEIGHT.finditer("" if _NO_DIAGONAL.search(sentence) else _named_diagonal(sentence)):
            label = re.sub(r"\W", "", match["long"] or match["short"] or "")
            name = f"{match['name']}_{label}" if label else match["name"]
            is_example_of.setdefault(name, bool(_EXAMPLES.search(sentence)))
    return is_example_of


def _named_diagonal(sentence: str) -> str:
    """Return the formulas of a sentence that stand before the word "diagonal", or behind it where none do."""
    word = _DIAGONAL.search(sentence)
    if word is None:
        return ""
    match = _BEFORE.search(sentence[: word.start()]) or _BEHIND.match(sentence[word.end() :])
    return match["formulas"] if match is not None else ""


class _Signs:
    """Puts a sign between factors that are multiplied entry by entry.

    Attributes:
        small: The small letters that were found before or behind a vector.
        beside: Whether vectors stood side by side.

    Args:
        letter: The letter that counts time.
        is_vector: Whether a symbol is a vector, as what has a time is.
        kinds: What symbols are by their entries.
    """

    def __init__(self, letter: str, is_vector: Callable[[Denoted], bool], kinds: Mapping[str, str]) -> None:
        self.letter, self.is_vector, self.kinds = letter, is_vector, kinds
        self.small: dict[str, None] = {}
        self.beside = False

    def symbol(self, name: Name) -> Denoted:
        """Interpret a name."""
        return denote(name, self.letter, frozenset(), {})

    def factor_kind(self, tree: Tree) -> str:
        """Return what a part of an equation is: vector, matrix, small letter, transposed or other."""
        match tree:
            case Name():
                return self._kind_of_name(tree)
            case Call():
                return "vector" if self.factor_kind(tree.argument) == "vector" else "other"
            case Negative():
                return self.factor_kind(tree.body)
            case Bracket():
                return "vector" if len(tree.items) > 1 else self.factor_kind(tree.items[0])
            case Binary() if tree.sign in _SIGNED:
                kinds = {self.factor_kind(tree.left), self.factor_kind(tree.right)}
                return next((factor_kind for factor_kind in ("vector", "small") if factor_kind in kinds), "other")
            case Binary():
                left, right = self.factor_kind(tree.left), self.factor_kind(tree.right)
                if right == "matrix":  # x W is a row, and a W is a matrix
                    return "vector" if left == "vector" else "matrix"
                return right if right in ("vector", "transposed") else left
        return "other"

    def _kind_of_name(self, name: Name) -> str:
        """Return what a name is."""
        symbol = self.symbol(name)
        if symbol.transposed:
            return "transposed"
        if self.is_vector(symbol) or symbol.name in self.kinds:
            return self.kinds.get(symbol.name, "vector")
        if len(name.base) > 1 or symbol.time is not None:
            return "other"
        return "small" if name.base.islower() else "matrix"

    def _vector_apart(self, tree: Binary) -> Tree | None:
        """Return ``g U h`` as the vector g entry by entry with U h; None where no vector stands before the matrix."""
        matrices: list[Tree] = []
        front = tree.left
        while isinstance(front, Binary) and not front.sign and self.factor_kind(front.right) == "matrix":
            matrices.insert(0, front.right)
            front = front.left
        if not matrices or self.factor_kind(front) != "vector" or self.factor_kind(tree.right) != "vector":
            return None
        row = functools.reduce(lambda left, right: Binary("", left, right, left.column), matrices)
        return Binary("\\odot", front, Binary("", row, tree.right, row.column, tree.parenthesised), tree.column)

    def change(self, tree: Tree) -> Tree:
        """Return a product with a sign where its factors are multiplied entry by entry; another part as it is."""
        if not isinstance(tree, Binary) or tree.sign:
            return tree
        if (apart := self._vector_apart(tree)) is not None:
            self.beside = True
            return apart
        kinds = {self.factor_kind(tree.left), self.factor_kind(tree.right)}
        if kinds not in ({"vector"}, {"vector", "small"}):
            return tree
        small = [side for side in (tree.left, tree.right) if self.factor_kind(side) == "small"]
        self.small |= {self.symbol(side).name: None for side in small if isinstance(side, Name)}
        self.beside |= not small or not isinstance(small[0], Name)
        return replace(tree, sign="\\odot", parenthesised=False)


def with_signs(definition: Definition, is_vector: Callable[[Denoted], bool], is_told: bool) -> Definition:
    r"""Return an equation with ``\odot`` between vectors, and beside small letters, that stand side by side.

    Args:
        definition: The equation.
        is_vector: Whether a symbol is a vector, as what has a time is.
        is_told: Whether the document says that such products are entry by entry.
    """
    signs = _Signs(definition.letter, is_vector, definition.kinds)
    symbols = map(signs.symbol, names(definition.tree))
    if any(symbol.transposed and symbol.time is not None for symbol in symbols):
        return definition  # v k^T is a matrix, and n^T q a number
    tree = mapped(definition.tree, signs.change)
    if tree == definition.tree:
        return definition
    notes = ["vectors that stand side by side without a sign are multiplied entry by entry"] * signs.beside
    notes = [note + ("" if is_told else ", which the document does not say") for note in notes]
    if signs.small:
        notes.append(f"{', '.join(signs.small)}: a small letter beside a vector is taken for one number for each entry")
    result = definition.written(tree, notes[0])
    return result if len(notes) == 1 else result.with_note(notes[1])


def with_diagonals(definition: Definition, diagonal: dict[str, bool]) -> Definition:
    r"""Return an equation in which diagonal matrices are vectors that multiply entry by entry.

    Args:
        definition: The equation.
        diagonal: The weights that are diagonal, and whether they stand for all that multiply the same symbol.
    """
    changed: dict[str, None] = {}

    def is_diagonal(name: str) -> bool:
        alike = (known[:3] for known, is_example in diagonal.items() if is_example)
        return name in diagonal or any(name.startswith(start) and len(name) == 4 for start in alike)

    def change(tree: Tree) -> Tree:
        if isinstance(tree, Binary) and not tree.sign and isinstance(tree.left, Name):
            symbol = denote(tree.left, definition.letter, frozenset(), {})
            if symbol.time is None and is_diagonal(symbol.name):
                changed.setdefault(symbol.name)
                return replace(tree, sign="\\odot", parenthesised=False)
        return tree

    if not diagonal:
        return definition
    tree = mapped(definition.tree, change)
    if not changed:
        return definition
    return definition.written(tree, f"{', '.join(changed)}: diagonal by the text, written as vectors")
