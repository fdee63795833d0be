"""The documents' character model as a task: the next character of a text whose probabilities are known."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.learning.task import Batch, Task

_NOUNS, _VERBS = ("cat", "dog", "girl", "king"), ("run", "eat", "sleep", "sing")


class TextLosses(NamedTuple):
    """What can be reached on a text, in nats a character.

    Attributes:
        best: The least loss of a model that remembers everything.
        memoryless: The least loss of one that knows the last character alone.
    """

    best: float
    memoryless: float


@dataclass(frozen=True)
class TextSource:
    """Sentences that follow each other independently in a text; all end alike, and none is the beginning of another.

    Attributes:
        sentences: Every sentence that may come next, whatever came before.
        probabilities: Their probabilities, (sentences,).
    """

    sentences: tuple[str, ...]
    probabilities: Array

    @property
    def alphabet(self) -> str:
        """The characters, sorted."""
        return "".join(sorted(set("".join(self.sentences))))

    def losses(self, steps: int) -> TextLosses:
        """Return the least losses of the first `steps` characters of a text, each asked for the next one.

        Args:
            steps: How many characters are read.
        """
        weights = {"": 1.0}  # of what was read of the current sentence; it begins anew where one ends
        pairs: defaultdict[tuple[str, str], float] = defaultdict(float)
        surprise = 0.0
        for step in range(steps + 1):
            following: defaultdict[str, float] = defaultdict(float)
            for prefix, weight in weights.items():
                for letter, share in self._continuations[prefix].items():
                    following[prefix + letter] += weight * share
                    if step:
                        surprise -= weight * share * math.log(share)
                        pairs[(prefix or self.sentences[0])[-1], letter] += weight * share
            weights = dict(following)
            for sentence in self.sentences:
                weights[""] = weights.get("", 0.0) + weights.pop(sentence, 0.0)
        firsts: defaultdict[str, float] = defaultdict(float)
        for (first, _), frequency in pairs.items():
            firsts[first] += frequency
        memoryless = sum(frequency * math.log(firsts[first] / frequency) for (first, _), frequency in pairs.items())
        return TextLosses(surprise / steps, memoryless / steps)

    @functools.cached_property
    def _continuations(self) -> dict[str, dict[str, float]]:
        """The probabilities of the next character, by what was read of the sentence."""
        weights: dict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        for probability, sentence in zip(self.probabilities, self.sentences, strict=True):
            for length, letter in enumerate(sentence):
                weights[sentence[:length]][letter] += float(probability)
        return {
            prefix: {letter: weight / sum(letters.values()) for letter, weight in letters.items()}
            for prefix, letters in weights.items()
        }


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

    best, chance = source.losses(steps)
    solved = best + (chance - best) / 10
    title = "the next character of a text"
    return Task("characters", title, steps, len(letters), len(letters), "classes", chance, solved, draw, best=best)
