"""Text to surface tree, with errors that name the column and say what was expected."""

from __future__ import annotations

import functools
import re
from fractions import Fraction
from importlib import resources
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from rnn_harness.specs.notation._syntax import (
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


class NotationError(ValueError):
    """A text that cannot be read. `column` counts from 1; `kind` is ``unbalanced`` or ``syntax``."""

    def __init__(self, message: str, text: str, column: int, kind: str = "syntax") -> None:
        super().__init__(f"column {column}: {message}")
        self.text, self.column, self.kind = text, column, kind


_FUNCTIONS = {"\\mathcal{O}": "O", "\\operatorname{softmax}": "softmax", "\\text{softmax}": "softmax"}
_DECORATED = re.compile(r"\\(\w+)\{([A-Za-z])\}")
_ACCENTS = ("tilde", "hat", "vec", "overrightarrow", "overleftarrow")
_CONTINUED = re.compile(r"\\\\(?=\s*&?\s*(=|\\Rightarrow))")


def _strip(text: str) -> str:
    return text[1:].strip("{}").strip()


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    def start(self, *chains: Any) -> tuple[Chain, ...]:
        return tuple(chain for chain in chains if isinstance(chain, Chain))

    def chain(self, first: Tree, *rest: Any) -> Chain:
        return Chain((first, *rest[1::2]), tuple(rest[0::2]), first.column)

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

    hadamard = explicit

    def juxtaposed(self, left: Tree, right: Tree) -> Binary:
        return Binary("", left, right, left.column)

    def number(self, token: Token) -> Number:
        return Number(Fraction(str(token)), token.column or 0)

    def call(self, function: Token, argument: Tree) -> Call:
        name = _FUNCTIONS.get(str(function), str(function).lstrip("\\"))
        return Call(name, argument, function.column or 0)

    def tuple(self, *items: Tree) -> Tuple:
        return Tuple(items, items[0].column)

    def bracket(self, *items: Tree) -> Bracket:
        return Bracket(items, items[0].column)

    def labelled_bracket(self, item: Tree, _label: Token) -> Bracket:
        return Bracket((item,), item.column)

    def underbraced(self, _brace: Token, body: Tree, _label: Token | None = None) -> Tree:
        return body

    def derivative(self, partial: Token, top: Name, _below: Token, bottom: Name) -> Derivative:
        return Derivative(top, bottom, "+" in partial, partial.column or 0)

    def total(self, sign: Token, body: Tree) -> Total:
        match = re.fullmatch(r"\\sum_\{([a-z])=(\d+)\}\^(.*)", str(sign))
        assert match is not None, "the grammar admits no other form"
        return Total(match[1], int(match[2]), match[3].strip("{}"), body, sign.column or 0)

    def name(self, base: Token, *decorations: Token) -> Name:
        match = _DECORATED.fullmatch(str(base))
        letter = match[2] if match else str(base).lstrip("\\")
        accent = match[1] if match and match[1] in _ACCENTS else ""
        parts = {"SUB": "", "SUP": "", "DIRECTION": "", "ARGUMENT": ""}
        for decoration in decorations:
            parts[decoration.type] += _strip(str(decoration))
        direction = parts["DIRECTION"].strip("()").lower()
        return Name(letter, accent, parts["SUB"], parts["SUP"], direction, base.column or 0)


@functools.cache
def _parser() -> Lark:
    grammar = (resources.files("rnn_harness.specs.notation") / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


def _check_balance(text: str) -> None:
    pairs = {")": "(", "]": "[", "}": "{"}
    open_: list[tuple[str, int]] = []
    for column, sign in enumerate(text, start=1):
        if sign in "([{":
            open_.append((sign, column))
        elif sign in pairs:
            if not open_ or open_[-1][0] != pairs[sign]:
                expected = f"{open_[-1][0]!r} of column {open_[-1][1]} is still open" if open_ else "none is open"
                raise NotationError(f"{sign!r} closes nothing: {expected}", text, column, "unbalanced")
            open_.pop()
    if open_:
        sign, column = open_[-1]
        raise NotationError(f"{sign!r} is never closed", text, column, "unbalanced")


def parse(text: str) -> tuple[Chain, ...]:
    """The statements of a text, each a chain of equalities. Raises NotationError."""
    _check_balance(text)
    joined = _CONTINUED.sub("  ", text)
    try:
        statements: tuple[Chain, ...] = _Builder().transform(_parser().parse(joined))
    except UnexpectedInput as error:
        ended = getattr(getattr(error, "token", None), "type", "") == "$END"
        known = isinstance(error.column, int) and error.column > 0 and not ended
        column = error.column if known else len(text) + 1
        found = text[column - 1 : column + 11] if column <= len(text) else ""
        what = f"cannot read {found!r} here" if found else "the formula stops too early"
        raise NotationError(f"{what}; expected {_expected(error)}", text, column) from None
    return statements


_WORDS = {
    "NUMBER": "a number",
    "BASE": "a symbol",
    "FUNCTION": "a function",
    "LPAR": "'('",
    "RPAR": "')'",
    "LSQB": "'['",
    "RSQB": "']'",
    "EQUAL": "'='",
    "PLUS": "'+'",
    "MINUS": "'-'",
    "STAR": "a product sign",
    "COMMA": "','",
    "$END": "the end",
}


def _expected(error: UnexpectedInput) -> str:
    accepts: set[str] = set(getattr(error, "accepts", None) or getattr(error, "expected", None) or ())
    accepts |= set(getattr(error, "allowed", None) or ())
    words = [word for token, word in _WORDS.items() if token in accepts]
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words) or "a formula"
