"""The forms in which the inputs and targets of a loss go in: tokens and classes, or vectors of numbers.

A loss is tried with tokens of a small vocabulary. Where it takes numbers, every token stands for a vector that is drawn
once, so that the same sequence of tokens is the same sequence of vectors.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnn_harness.array_types import Array

TokenForm = Literal["list", "array", "one-hot columns", "rows", "columns", "time first", "batch first"]
TargetForm = Literal["classes", "one class", "numbers", "numbers of the last step"]
ROWS = 3
"""How many rows a batch has."""
_VOCABULARY = 3
_TURNED = {"batch first": (1, 0, 2)}


@dataclass(frozen=True)
class LossForm:
    """How a sequence of tokens, and its targets, go in.

    Attributes:
        inputs: Whether tokens go in as a list, as an array, or as vectors: columns (n, 1) with a one at the token,
            rows (T, n), a list of columns (n, 1), or rows of a batch (T, B, n) or (B, T, n).
        width: The length of such a vector; 0 where tokens go in as numbers.
        targets: Whether targets go in as classes or as vectors laid out as the inputs are, of all steps or of the last
            one; a batch has a class for each of its rows.
        target_width: The length of such a vector; 0 where targets are classes.
    """

    inputs: TokenForm = "list"
    width: int = 0
    targets: TargetForm = "classes"
    target_width: int = 0

    @property
    def takes_numbers(self) -> bool:
        """Whether tokens stand for vectors that are drawn."""
        return self.inputs not in ("list", "array", "one-hot columns")

    @property
    def is_batch(self) -> bool:
        """Whether the inputs are several rows."""
        return self.inputs in ("time first", "batch first")

    def laid_out_inputs(self, tokens: Sequence[int]) -> object:
        """Return tokens as the loss takes them.

        Args:
            tokens: One for each step.
        """
        match self.inputs:
            case "list":
                return list(tokens)
            case "array":
                return np.array(tokens)
            case "one-hot columns":
                return [np.eye(self.width)[:, [token]] for token in tokens]
        return self._vectors(tokens, self.width, seed=1)

    def laid_out_targets(self, targets: Sequence[int]) -> object:
        """Return targets as the loss takes them.

        Args:
            targets: One for each step.
        """
        of_rows = (np.array(targets)[:, None] + np.arange(ROWS)) % _VOCABULARY
        match self.targets:
            case "classes" if self.is_batch:
                return of_rows.T if self.inputs == "batch first" else of_rows
            case "classes":
                return list(targets)
            case "one class":
                return of_rows[-1] if self.is_batch else targets[-1]
        vectors = self._vectors(targets, self.target_width, seed=2)
        if self.targets == "numbers":
            return vectors
        return vectors[:, -1] if self.inputs == "batch first" else vectors[-1]  # type: ignore[call-overload]

    def _vectors(self, tokens: Sequence[int], width: int, seed: int) -> Array | list[Array]:
        """The vectors of tokens, laid out as the inputs are."""
        rows = ROWS if self.is_batch else 1
        table = np.random.default_rng(seed).standard_normal((_VOCABULARY, rows, width))
        # Tokens of a first call may be larger: their vectors are as good as any.
        vectors: Array = table[[int(token) % _VOCABULARY for token in tokens]]
        if self.inputs == "columns":
            return [vector.reshape(-1, 1) for vector in vectors]
        if self.inputs == "rows":
            return vectors[:, 0]
        return np.ascontiguousarray(vectors.transpose(_TURNED.get(self.inputs, (0, 1, 2))))


def forms_of_tokens(vocabularies: Sequence[int]) -> Iterator[LossForm]:
    """Yield the forms in which tokens and classes go in.

    Args:
        vocabularies: How long a vector with a one at the token may be.
    """
    yield LossForm("list")
    yield LossForm("array")
    yield from (LossForm("one-hot columns", size) for size in vocabularies)


def forms_of_numbers(widths: Sequence[int], target_widths: Sequence[int]) -> Iterator[LossForm]:
    """Yield the forms in which vectors go in, with vectors or classes as targets.

    Args:
        widths: How long a vector of the inputs may be.
        target_widths: How long a vector of the targets may be.
    """
    layouts: tuple[TokenForm, ...] = ("rows", "columns", "time first", "batch first")
    wanted: tuple[TargetForm, ...] = ("numbers", "numbers of the last step")
    classes: tuple[TargetForm, ...] = ("classes", "one class")
    for inputs, width in itertools.product(layouts, widths):
        for targets, target_width in itertools.product(wanted, target_widths):
            yield LossForm(inputs, width, targets, target_width)
        yield from (LossForm(inputs, width, targets) for targets in classes)
