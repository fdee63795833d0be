"""The sentence of 000:214-237: words cut, mat and rat, each one-hot, and whether one of them is cut."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.references import one_hot

VOCABULARY = ("cut", "mat", "rat")
"""The vocabulary of the document, in its order, 000:231-237."""
SOURCE = "000:214-237"
SENTENCE = ("cut", "mat", "mat", "rat", "mat", "rat", "mat", "mat", "rat", "mat", "rat", "mat")
"""The document's first review, cut mat mat, and nine more words without a cut: the answer is the first word's."""
QUESTION = "was there a cut?"
ANSWERS = ("no", "yes")
"""What is answered, by the class; as in the document's table, a sentence with a cut is positive."""


class LabelledSentences(NamedTuple):
    """Sentences with their answers.

    Attributes:
        inputs: One-hot words (T, B, 3).
        classes: 1 where a word is cut, (B,).
    """

    inputs: Array
    classes: Array


def encode_sentence(words: tuple[str, ...]) -> Array:
    """Return a sentence as one-hot words (T, 1, 3).

    Args:
        words: Words of the vocabulary.
    """
    return one_hot(np.array([[VOCABULARY.index(word)] for word in words]), len(VOCABULARY))


def draw_sentences(rng: np.random.Generator, count: int, steps: int) -> LabelledSentences:
    """Draw sentences of mat and rat; about half of them have one cut, at any place.

    Args:
        rng: The source of the numbers.
        count: How many.
        steps: The number T of words.
    """
    words = rng.integers(1, len(VOCABULARY), (steps, count))
    classes = rng.integers(0, 2, count)
    rows = np.flatnonzero(classes)
    words[rng.integers(0, steps, len(rows)), rows] = 0
    return LabelledSentences(one_hot(words, len(VOCABULARY)), classes)
