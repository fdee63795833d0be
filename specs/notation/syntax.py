"""The surface tree: what stands on the page, before shapes decide what a product means.

Every node carries the column (from 1) at which it begins in the text that was parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Name:
    r"""A letter with its decorations: ``\mathbf{W}_{xi}^T`` has base W, sub "xi", sup "T".

    Attributes:
        base: the letter or word.
        accent: the command of the accent, without backslash.
        sub: the subscripts, with commas between them.
        sup: the superscripts, with commas between them.
        direction: ``forward`` or ``backward`` where it is printed in parentheses.
        column: where the name begins.
    """

    base: str
    accent: str = ""
    sub: str = ""
    sup: str = ""
    direction: str = ""
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """An exact decimal.

    Attributes:
        value: the number.
        column: where it begins.
    """

    value: Fraction
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    r"""``left sign right``.

    Attributes:
        sign: the sign as printed: + - / \\oplus * \\cdot \\circ \\odot \\otimes \\star, or "" (juxtaposed).
        left: the operand before the sign.
        right: the operand behind the sign.
        column: where the left operand begins.
        parenthesised: whether the right side of a juxtaposition stands in parentheses, as in ``f(x)`` or ``a(b + c)``.
    """

    sign: str
    left: Tree
    right: Tree
    column: int = field(default=0, compare=False)
    parenthesised: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """``-body``.

    Attributes:
        body: the term behind the sign.
        column: where it begins.
    """

    body: Tree
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one argument.

    Attributes:
        function: its letter or word: sigma, tanh, log, softmax, phi, O, ...
        argument: the argument.
        column: where the function begins.
    """

    function: str
    argument: Tree
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Bracket:
    """``[a, b, ...]``: a concatenation, a list of numbers, or (one item) mere grouping.

    Attributes:
        items: the items in order.
        column: where the first item begins.
    """

    items: tuple[Tree, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Tuple:
    """``(a, b, ...)``: the arguments of a function that is only named, as in ``f(x, s)``.

    Attributes:
        items: the arguments in order.
        column: where the first argument begins.
    """

    items: tuple[Tree, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Derivative:
    """``d top / d bottom``.

    Attributes:
        top: the symbol that is differentiated.
        bottom: the symbol with respect to which it is.
        direct: whether it is the explicit derivative, the one printed with a plus.
        column: where it begins.
    """

    top: Name
    bottom: Name
    direct: bool
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over an index.

    Attributes:
        index: the letter of the index.
        lower: the first value of the index.
        upper: the last value of the index, as printed.
        body: the term.
        column: where the sum begins.
    """

    index: str
    lower: int
    upper: str
    body: Tree
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """``a = b = c``: a chain of equalities.

    Attributes:
        sides: the sides in order.
        relations: the relations between them, as printed.
        column: where the first side begins.
    """

    sides: tuple[Tree, ...]
    relations: tuple[str, ...]
    column: int = field(default=0, compare=False)


Tree = Name | Number | Binary | Negative | Call | Bracket | Tuple | Derivative | Total


def names(tree: Tree) -> Iterator[Name]:
    """Yield every name of a tree, in reading order.

    Args:
        tree: the root; a name that stands several times is yielded several times.
    """
    match tree:
        case Name():
            yield tree
        case Binary():
            yield from names(tree.left)
            yield from names(tree.right)
        case Negative() | Total():
            yield from names(tree.body)
        case Call():
            yield from names(tree.argument)
        case Bracket() | Tuple():
            for item in tree.items:
                yield from names(item)
        case Derivative():
            yield tree.top
            yield tree.bottom
        case Number():
            pass
