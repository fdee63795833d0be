"""Parse LaTeX into the surface tree, with errors that name the column and say what was expected."""

from __future__ import annotations

import functools
import re
from importlib import resources

from lark import Lark, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from rnn_harness.specs.notation.balance import check_alignment, check_balance
from rnn_harness.specs.notation.build import Builder
from rnn_harness.specs.notation.errors import NotationError
from rnn_harness.specs.notation.syntax import Chain

_CONTINUED = re.compile(r"\\\\(?=[\s&]*(=|\\Rightarrow))")
_CONTINUED_SUM = re.compile(r"\\\\(?=[\s&]*[+\-])")
_BARE_FUNCTION = re.compile(r"\\(tanh|log|ln)(?![A-Za-z])|tanh|softmax")
_LONGEST = 20_000


@functools.cache
def _parser() -> Lark:
    """Return the parser of the grammar, built once."""
    grammar = (resources.files("rnn_harness.specs.notation") / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Chain, ...]:
    """Parse a text; the tree of one that was read before is given again, which nobody can change.

    Args:
        text: the LaTeX of one or several formulas.

    Returns:
        The statements, each a chain of equalities.

    Raises:
        NotationError: for a text that cannot be read; says the column and what was expected.
    """
    if len(text) > _LONGEST:
        raise NotationError(f"a formula of {len(text)} characters; at most {_LONGEST} are read", text, 1)
    check_balance(text)
    check_alignment(text)
    joined = _CONTINUED.sub("  ", text)
    if "matrix}" not in text:
        joined = _CONTINUED_SUM.sub("  ", joined)
    try:
        statements: tuple[Chain, ...] = Builder(text).transform(_parser().parse(joined))
    except UnexpectedInput as error:
        raise _explain(error, text) from None
    except VisitError as error:
        if isinstance(error.orig_exc, NotationError):
            raise error.orig_exc from None
        raise
    except RecursionError:
        raise NotationError("more operations inside each other than can be followed", text, 1) from None
    if not statements:
        raise NotationError("the formula stops too early; expected a symbol", text, len(text) + 1)
    return statements


def _explain(error: UnexpectedInput, text: str) -> NotationError:
    """Turn an error of the parser into one that names the column of `text` and what was expected there."""
    ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    place = error.pos_in_stream
    column = len(text) + 1 if ended or place is None else place + 1
    unread = text[column - 1 : column + 11]
    before = text[: column - 1].rstrip()
    fault = f"cannot read {unread!r} here" if unread else "the formula stops too early"
    last = list(_BARE_FUNCTION.finditer(before))
    if last and last[-1].end() == len(before):
        fault += f"; the argument of {last[-1][0]} goes in parentheses"
    return NotationError(f"{fault}; expected {_expected(error)}", text, column)


_WORDS = {
    "NUMBER": "a number",
    "LETTER": "a symbol",
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
    """List, in words, the tokens that could follow."""
    accepts: set[str] = set()
    if isinstance(error, UnexpectedToken):
        accepts = set(error.accepts or error.expected)
    elif isinstance(error, UnexpectedCharacters):
        accepts = set(error.allowed or ())
    words = [word for token, word in _WORDS.items() if token in accepts]
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words) or "a formula"
