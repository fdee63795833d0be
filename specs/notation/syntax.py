"""The surface tree: what stands on the page, before shapes decide what a product means.

Every node carries the column (from 1) at which it begins in the text that was parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Name:
    r"""A letter with its decorations: ``\mathbf{W}_{xi}^T`` has base W, sub "xi", sup "T"."""

    base: str
    accent: str = ""
    sub: str = ""
    sup: str = ""
    direction: str = ""
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """An exact decimal."""

    value: Fraction
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """``left sign right``. `sign` is as printed: + - / \\oplus * \\cdot \\circ \\odot \\otimes, or "" (juxtaposed).

    `parenthesised`: the right side of a juxtaposition stands in parentheses, as in ``f(x)`` or ``a(b + c)``.
    """

    sign: str
    left: Tree
    right: Tree
    column: int = field(default=0, compare=False)
    parenthesised: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """``-body``."""

    body: Tree
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one argument: sigma, tanh, log, softmax, phi or O."""

    function: str
    argument: Tree
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Bracket:
    """``[a, b, ...]``: a concatenation, a list of numbers, or (one item) mere grouping."""

    items: tuple[Tree, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Tuple:
    """``(a, b, ...)``: the arguments of a function that is only named, as in ``f(x, s)``."""

    items: tuple[Tree, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Derivative:
    """``d top / d bottom``; `direct` is the explicit derivative, the one printed with a plus."""

    top: Name
    bottom: Name
    direct: bool
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of `body` for `index` from `lower` to `upper`."""

    index: str
    lower: int
    upper: str
    body: Tree
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """``a = b = c``: sides and the relations between them."""

    sides: tuple[Tree, ...]
    relations: tuple[str, ...]
    column: int = field(default=0, compare=False)


Tree = Name | Number | Binary | Negative | Call | Bracket | Tuple | Derivative | Total


def names(tree: Tree) -> Iterator[Name]:
    """Every name of a tree, in reading order."""
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
