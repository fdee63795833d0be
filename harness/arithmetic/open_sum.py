"""A sum of balls on its way: what is known of it before it is rounded."""

from __future__ import annotations

from rnn_harness.array_types import Array


class OpenSum:
    """A sum not yet rounded; a single value is a sum of one term.

    Attributes:
        value: The sum's balls, (B, d).
        mass: The sum of the terms' largest sizes, (B, d).
        terms: The number of terms.
        products: Whether a term is itself an unrounded product.
        parts: How many terms an implementation may store before it adds them: a matrix product is one part.
        addends: How many terms are biases: parameters without a batch axis, which an implementation may hold in parts.
    """

    __slots__ = ("addends", "mass", "parts", "products", "terms", "value")

    def __init__(self, value: Array, mass: Array, terms: int, products: bool, parts: int = 1, addends: int = 0) -> None:
        self.value, self.mass, self.terms, self.products = value, mass, terms, products
        self.parts, self.addends = parts, addends
