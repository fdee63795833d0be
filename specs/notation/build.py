"""From what the grammar recognises to the surface tree."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction
from typing import Any

from lark import Token, Transformer, v_args

from rnn_harness.specs.notation.errors import NotationError
from rnn_harness.specs.notation.syntax import (
    Binary,
    Bracket,
    Call,
    Chain,
    Derivative,
    Name,
    Negative,
    Number,
    Total,
    Tree,
    Tuple,
)

_SUM = re.compile(r"\\sum_\{\s*([a-z])\s*=\s*(\d+)\s*\}\^(.*)", re.DOTALL)
_BRACES = re.compile(r"\{\s*([A-Za-z]+)\s*\}")


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _strip(text: str) -> str:
    """A sub- or superscript without its sign and its braces: ``_{t}`` is t, ``^\\top`` is \\top."""
    inner = text[1:].strip()
    return inner[1:-1].strip() if inner.startswith("{") else inner


def _word(text: str) -> str:
    """A command without its dress: ``\\text{tanh}`` is tanh, ``\\sigma`` is sigma."""
    braced = _BRACES.search(text)
    return braced[1] if braced else text.lstrip("\\")


def _join(first: str, second: str) -> str:
    return f"{first},{second}" if first and second else first or second


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    """One method per rule of the grammar."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def start(self, *items: Any) -> tuple[Chain, ...]:
        for before, item in itertools.pairwise(items):
            if before is not None and item is not None:
                message = "another formula begins here; expected a sign, or ',' between two formulas"
                raise NotationError(message, self.text, item.column)
        return tuple(item for item in items if isinstance(item, Chain))

    def separator(self, *_signs: Token) -> None:
        return None

    def remark(self, _text: Token) -> None:
        return None

    def chain(self, *parts: Any) -> Chain:
        sides = [part for part in parts if part is not None and not isinstance(part, str)]
        relations = [part for part in parts if isinstance(part, str)]
        # The relation before a remark at the end has no right side.
        return Chain(tuple(sides), tuple(relations[: len(sides) - 1]), sides[0].column)

    def relation(self, sign: Token) -> str:
        return str(sign)

    def add(self, left: Tree, right: Tree) -> Binary:
        return Binary("+", left, right, left.column)

    def oplus(self, left: Tree, right: Tree) -> Binary:
        return Binary("\\oplus", left, right, left.column)

    def subtract(self, left: Tree, right: Tree) -> Binary:
        return Binary("-", left, right, left.column)

    def negative(self, body: Tree) -> Negative:
        return Negative(body, body.column)

    def explicit(self, left: Tree, sign: Token, right: Tree) -> Binary:
        return Binary("*" if sign == "X" else str(sign), left, right, left.column)

    def quotient(self, left: Tree, right: Tree) -> Binary:
        return Binary("/", left, right, left.column)

    def juxtaposed(self, left: Tree, right: Tree) -> Binary:
        return Binary("", left, right, left.column)

    def applied(self, left: Tree, right: Tree) -> Binary:
        return Binary("", left, right, left.column, parenthesised=True)

    def number(self, token: Token) -> Number:
        if len(token) > 400:
            raise NotationError(f"a number of {len(token)} digits", self.text, _column(token))
        return Number(Fraction(str(token)), _column(token))

    def dots(self, token: Token) -> Name:
        return Name("dots", column=_column(token))

    def call(self, function: Token, *rest: Any) -> Call:
        *label, argument = rest
        name = "_".join([_word(str(function)), *(_strip(str(part)) for part in label)])
        return Call(name, argument, _column(function))

    def tuple(self, *items: Tree) -> Tuple:
        return Tuple(items, items[0].column)

    def bracket(self, *items: Any) -> Bracket:
        sides = tuple(item for item in items if not isinstance(item, Token))
        return Bracket(sides, sides[0].column)

    def labelled_bracket(self, item: Tree, _label: Token) -> Bracket:
        return Bracket((item,), item.column)

    def underbraced(self, _brace: Token, body: Tree, _label: Token | None = None) -> Tree:
        return body

    def derivative(self, partial: Token, top: Name, _below: Token, bottom: Name) -> Derivative:
        return Derivative(top, bottom, "+" in partial, _column(partial))

    def total(self, sign: Token, body: Tree) -> Total:
        match = _SUM.fullmatch(str(sign))
        assert match is not None, "the grammar admits no other form"
        return Total(match[1], int(match[2]), match[3].strip("{} "), body, _column(sign))

    def font(self, font: Token, inner: Token | Name) -> Name:
        name = _named(inner)
        return Name(name.base, name.accent, name.sub, name.sup, name.direction, _column(font))

    def accented(self, accent: Token, inner: Token | Name) -> Name:
        name = _named(inner)
        if name.accent:
            raise NotationError(f"{accent} over \\{name.accent}: one accent at a time", self.text, _column(accent))
        kind = str(accent).lstrip("\\").removeprefix("wide")
        return Name(name.base, kind, name.sub, name.sup, name.direction, _column(accent))

    def name(self, base: Token | Name, *decorations: Token) -> Name:
        inner = _named(base)
        sub, sup, direction = inner.sub, inner.sup, inner.direction
        for decoration in decorations:
            match decoration.type:
                case "SUB":
                    sub = _join(sub, _strip(str(decoration)))
                case "SUP":
                    sup = _join(sup, _strip(str(decoration)))
                case "PRIME":
                    sup = _join(sup, "prime" * len(decoration))
                case "DIRECTION":
                    direction = str(decoration).strip("()").lower()
        return Name(inner.base, inner.accent, sub, sup, direction, inner.column)


def _named(base: Token | Name) -> Name:
    return base if isinstance(base, Name) else Name(_word(str(base)), column=_column(base))
