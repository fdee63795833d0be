"""Build the surface tree from what the grammar recognises."""

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
    """Return the column of a token, from 1."""
    return (token.start_pos or 0) + 1


def _strip(text: str) -> str:
    r"""Remove the sign and the braces of a sub- or superscript: ``_{t}`` is t, ``^\\top`` is \\top."""
    inner = text[1:].strip()
    return inner[1:-1].strip() if inner.startswith("{") else inner


def _word(text: str) -> str:
    r"""Return the word of a command: ``\\text{tanh}`` is tanh, ``\\sigma`` is sigma."""
    braced = _BRACES.search(text)
    return braced[1] if braced else text.lstrip("\\")


def _join(first: str, second: str) -> str:
    """Join two labels with a comma, where both are there."""
    return f"{first},{second}" if first and second else first or second


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    """Build the surface tree, from the leaves up: each public method has the name of a grammar rule or alternative.

    lark calls a method with the children of its rule, in printed order: tokens, and what other methods returned. It
    returns the part of the tree that the rule stands for, whose column (from 1) is that of its first sign.

    Attributes:
        text: the LaTeX that is parsed, for messages.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def start(self, *items: Any) -> tuple[Chain, ...]:
        """Return the statements of a text.

        Args:
            items: a chain for every formula, and None for whatever separates formulas.

        Raises:
            NotationError: where two formulas follow each other without a separator.
        """
        for before, item in itertools.pairwise(items):
            if before is not None and item is not None:
                message = "another formula begins here; expected a sign, or ',' between two formulas"
                raise NotationError(message, self.text, item.column)
        return tuple(item for item in items if isinstance(item, Chain))

    def separator(self, *_signs: Token) -> None:
        """Drop what separates two formulas."""
        return

    def remark(self, _text: Token) -> None:
        """Drop a remark."""
        return

    def chain(self, *parts: Any) -> Chain:
        """Build a chain of equalities.

        Args:
            parts: Sides, and between them relations as text; None for a remark.
        """
        sides = [part for part in parts if part is not None and not isinstance(part, str)]
        relations = [part for part in parts if isinstance(part, str)]
        # The relation before a remark at the end has no right side.
        return Chain(tuple(sides), tuple(relations[: len(sides) - 1]), sides[0].column)

    def relation(self, sign: Token) -> str:
        """Return a relation as printed.

        Args:
            sign: The sign, such as ``=``.
        """
        return str(sign)

    def add(self, first: Tree, second: Tree) -> Binary:
        """Build a sum.

        Args:
            first: The first summand.
            second: The second summand.
        """
        return Binary("+", first, second, first.column)

    def oplus(self, first: Tree, second: Tree) -> Binary:
        """Build a sum printed with a circle.

        Args:
            first: The first summand.
            second: The second summand.
        """
        return Binary("\\oplus", first, second, first.column)

    def subtract(self, first: Tree, second: Tree) -> Binary:
        """Build a difference.

        Args:
            first: What is subtracted from.
            second: What is subtracted.
        """
        return Binary("-", first, second, first.column)

    def negative(self, body: Tree) -> Negative:
        """Build a negated term.

        Args:
            body: The term after the minus.
        """
        return Negative(body, body.column)

    def explicit(self, first: Tree, sign: Token, second: Tree) -> Binary:
        """Build a product with a sign.

        Args:
            first: The first factor.
            sign: The sign between them: a command, ``*``, or the letter X before a digit, which is read as ``*``.
            second: The second factor.
        """
        return Binary("*" if sign == "X" else str(sign), first, second, first.column)

    def quotient(self, first: Tree, second: Tree) -> Binary:
        """Build a quotient.

        Args:
            first: The numerator.
            second: The denominator.
        """
        return Binary("/", first, second, first.column)

    def juxtaposed(self, first: Tree, second: Tree) -> Binary:
        """Build a product without a sign.

        Args:
            first: The first factor.
            second: The factor that follows it, without parentheses.
        """
        return Binary("", first, second, first.column)

    def applied(self, first: Tree, second: Tree) -> Binary:
        """Build a factor followed by parentheses: a product, or a function's application.

        Args:
            first: A factor, or the name of a function; the types of the symbols decide which.
            second: What stands in the parentheses.
        """
        return Binary("", first, second, first.column, parenthesised=True)

    def number(self, token: Token) -> Number:
        """Build an exact number.

        Args:
            token: Digits, with a decimal point or without; or a bold one, which stands for a vector of ones.

        Raises:
            NotationError: for a number of more than 400 digits.
        """
        if len(token) > 400:
            raise NotationError(f"a number of {len(token)} digits", self.text, _column(token))
        return Number(Fraction(1 if token.type == "ONES" else str(token)), _column(token))

    def dots(self, token: Token) -> Name:
        r"""Build the name of dots.

        Args:
            token: The command, such as ``\\dots``.
        """
        return Name("dots", column=_column(token))

    def call(self, function: Token, *label_and_argument: Any) -> Call:
        r"""Build a call of a function, whose label (as in ``\\sigma_g``) becomes part of its name.

        Args:
            function: The function's command.
            label_and_argument: The subscript, where there is one, then the argument.
        """
        *label, argument = label_and_argument
        name = "_".join([_word(str(function)), *(_strip(str(part)) for part in label)])
        return Call(name, argument, _column(function))

    def call_with_more(self, function: Token, *arguments: Any) -> Call:
        """Build a call with several arguments, such as ``max(a, b)``; ``;`` may divide them as well.

        Args:
            function: the name of the function.
            arguments: its arguments, and the signs between them.
        """
        items = tuple(item for item in arguments if not isinstance(item, Token))
        return Call(_word(str(function)), Tuple(items, items[0].column), _column(function))

    def root(self, body: Tree) -> Call:
        """Build a square root.

        Args:
            body: what stands under the root.
        """
        return Call("sqrt", body, body.column)

    def power(self, body: Tree, exponent: Token) -> Binary:
        """Build the square of a term in parentheses.

        Args:
            body: the term.
            exponent: the power as printed.

        Raises:
            NotationError: for another power.
        """
        if _strip(str(exponent)) != "2":
            raise NotationError(
                f"{exponent} behind parentheses: only the square, ^2, is read", self.text, _column(exponent)
            )
        return Binary("\\odot", body, body, body.column)

    def applied_power(self, first: Tree, second: Tree, exponent: Token) -> Binary:
        """Build a product with the square of a term in parentheses. Raises NotationError, as `power` does.

        Args:
            first: the factor before the parentheses.
            second: the term in them.
            exponent: the power as printed.
        """
        return Binary("", first, self.power(second, exponent), first.column)

    def tuple(self, *items: Tree) -> Tuple:
        """Build a tuple of arguments.

        Args:
            items: The arguments, at least one.
        """
        return Tuple(items, items[0].column)

    def bracket(self, *items: Any) -> Bracket:
        """Build a bracket.

        Args:
            items: The brackets' tokens, which are dropped, and what stands between them.
        """
        sides = tuple(item for item in items if not isinstance(item, Token))
        return Bracket(sides, sides[0].column)

    def labelled_bracket(self, item: Tree, _label: Token) -> Bracket:
        """Build a bracket with a label below it, which is dropped.

        Args:
            item: What stands in the bracket.
        """
        return Bracket((item,), item.column)

    def underbraced(self, _brace: Token, body: Tree, _label: Token | None = None) -> Tree:
        """Return the body of an underbrace.

        Args:
            body: What stands above the brace; its label is dropped.
        """
        return body

    def derivative(self, partial: Token, top: Name, _below: Token, bottom: Name) -> Derivative:
        r"""Build a derivative.

        Args:
            partial: ``\\partial`` of the numerator; a plus above it marks the direct derivative.
            top: What is differentiated.
            bottom: The variable by which.
        """
        return Derivative(top, bottom, "+" in partial, _column(partial))

    def total(self, sign: Token, body: Tree) -> Total:
        r"""Build a sum over an index.

        Args:
            sign: The sum's command with its bounds, as ``\\sum_{t=1}^{T}``.
            body: The summand.
        """
        match = _SUM.fullmatch(str(sign))
        assert match is not None, "the grammar admits no other form"
        return Total(match[1], int(match[2]), match[3].strip("{} "), body, _column(sign))

    def font(self, font: Token, inner: Token | Name) -> Name:
        """Return a name without its font.

        Args:
            font: The command of the font.
            inner: The name in it.
        """
        name = _named(inner)
        return Name(name.base, name.accent, name.sub, name.sup, name.direction, _column(font))

    def accented(self, accent: Token, inner: Token | Name) -> Name:
        r"""Build a name with an accent.

        Args:
            accent: The command of the accent, such as ``\\tilde``.
            inner: The name below it.

        Raises:
            NotationError: for a second accent on a name.
        """
        name = _named(inner)
        if name.accent:
            raise NotationError(f"{accent} over \\{name.accent}: one accent at a time", self.text, _column(accent))
        command = str(accent).lstrip("\\").removeprefix("wide")
        return Name(name.base, command, name.sub, name.sup, name.direction, _column(accent))

    def name(self, base: Token | Name, *decorations: Token) -> Name:
        """Build a name with its decorations.

        Args:
            base: The letter or command, or a name that is decorated already.
            decorations: Subscripts, superscripts, primes and directions, as printed.
        """
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
    """Return a name for a token or a name."""
    return base if isinstance(base, Name) else Name(_word(str(base)), column=_column(base))
