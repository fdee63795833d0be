"""What proves that quoted words stand in a document where the document itself is not at hand.

For every line that is cited the data hold a short hash of each token, salted with the line's place and the token's
index. Words that stand there can be recognised; the line cannot be read back from sixteen bits a token.
"""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources

_TOKEN = re.compile(r"\\[a-zA-Z]+|[^\W_]+|\S")
_DIGITS = 4


def line_tokens(text: str) -> list[str]:
    r"""Split a line into commands of LaTeX, runs of letters and digits, and single other signs; spaces are left out.

    Args:
        text: The line, or words of it.
    """
    return _TOKEN.findall(text)


def token_hash(place: str, index: int, token: str) -> str:
    """Return the first 16 bits of the SHA-256 of a token at its place, as four hexadecimal digits.

    Args:
        place: The document and the line, as ``003:852``.
        index: The token's index in the line, from 0.
        token: One token of the line, as `line_tokens` gives it.
    """
    return hashlib.sha256(f"{place} {index} {token}".encode()).hexdigest()[:_DIGITS]


def line_hashes(place: str, text: str) -> str:
    """Return the hashes of all tokens of a line, one behind the other.

    Args:
        place: The document and the line.
        text: The line's text.
    """
    return "".join(token_hash(place, index, token) for index, token in enumerate(line_tokens(text)))


@functools.cache
def cited_lines() -> Mapping[str, str]:
    """Return the hashes of every line that the data cite, by its place."""
    text = resources.files("rnn_harness.specs").joinpath("data", "lines.toml").read_text(encoding="utf-8")
    lines: dict[str, str] = tomllib.loads(text)["lines"]
    return lines


def stands_at(place: str, words: str) -> bool:
    """Whether words stand in a line, by the hashes of the line's tokens.

    Args:
        place: The document and the line; one that is not among the cited lines holds nothing.
        words: What must stand there; spaces do not count.
    """
    hashes = cited_lines().get(place, "")
    count, tokens = len(hashes) // _DIGITS, line_tokens(words)
    return bool(tokens) and any(_begins_at(place, hashes, start, tokens) for start in range(count - len(tokens) + 1))


def _begins_at(place: str, hashes: str, start: int, tokens: Sequence[str]) -> bool:
    """Whether the tokens stand one behind the other from a token of the line on."""
    return all(
        hashes[_DIGITS * index : _DIGITS * (index + 1)] == token_hash(place, index, token)
        for index, token in enumerate(tokens, start)
    )
