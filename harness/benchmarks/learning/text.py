"""The documents' character model as a task: the next character of a text whose probabilities are known."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.learning.task import Batch, Task

_NOUNS, _VERBS = ("cat", "dog", "girl", "king"), ("run", "eat", "sleep", "sing")


@dataclass(frozen=True)
class TextSource:
    """Sentences that follow each other independently in a text.

    Attributes:
        sentences: The sentences; all end alike.
        probabilities: Their probabilities, (sentences,).
    """

    sentences: tuple[str, ...]
    probabilities: Array

    @property
    def alphabet(self) -> str:
        """The characters, sorted."""
        return "".join(sorted(set("".join(self.sentences))))

    @property
    def entropy(self) -> float:
        """Nats a character: what remains for a model that remembers everything."""
        pairs = zip(self.probabilities, self.sentences, strict=True)
        length = sum(p * len(sentence) for p, sentence in pairs)
        return float(-sum(p * math.log(p) for p in self.probabilities) / length)

    @property
    def memoryless_loss(self) -> float:
        """Nats a character for the best guess from the last character alone."""
        pairs: Counter[tuple[str, str]] = Counter()
        for probability, sentence in zip(self.probabilities, self.sentences, strict=True):
            for pair in itertools.pairwise(sentence[-1] + sentence):  # all sentences end alike
                pairs[pair] += probability
        firsts: Counter[str] = Counter()
        for (first, _), frequency in pairs.items():
            firsts[first] += frequency
        loss = sum(frequency * math.log(firsts[first] / frequency) for (first, _), frequency in pairs.items())
        return float(loss / firsts.total())


def text_source() -> TextSource:
    """Build ``the cats that sees the dog run. ``: the verb's ending agrees with a noun up to 20 characters back."""
    nouns = [noun + ending for noun in _NOUNS for ending in ("", "s")]
    clauses = [("", 1 / 2), *((f" that sees the {noun}", 1 / 2 / len(nouns)) for noun in nouns)]
    sentences = {
        f"the {noun}{clause} {verb}{'' if noun.endswith('s') else 's'}. ": probability / len(nouns) / len(_VERBS)
        for noun in nouns
        for clause, probability in clauses
        for verb in _VERBS
    }
    return TextSource(tuple(sentences), np.array(list(sentences.values())))


def characters_task(steps: int) -> Task:
    """Build 003:481-491, the character model: which character comes next.

    Args:
        steps: T, the number of characters that are read.
    """
    source = text_source()
    letters = source.alphabet
    codes = [np.array([letters.index(letter) for letter in sentence]) for sentence in source.sentences]
    sentence_count = steps // min(map(len, codes)) + 1

    def draw(rng: np.random.Generator, batch: int) -> Batch:
        choices = rng.choice(len(codes), (batch, sentence_count), p=source.probabilities)
        rows = np.array([np.concatenate([codes[k] for k in row])[: steps + 1] for row in choices]).T
        return Batch(np.eye(len(letters), dtype=np.float32)[rows[:-1]], rows[1:])

    best, chance = source.entropy, source.memoryless_loss
    solved = best + (chance - best) / 10
    title = "the next character of a text"
    return Task("characters", title, steps, len(letters), len(letters), "classes", chance, solved, draw, best=best)
