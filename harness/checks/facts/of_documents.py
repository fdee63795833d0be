"""Facts of what the documents work with: numbers as their data files print them, and sentences that networks read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.checks.facts.fact import Answer, Fact
from rnn_harness.references import Reference, get_reference, one_hot
from rnn_harness.specs import Table, library, table_rows

_UNITS = 4


def _drawn(cell: Reference, input_size: int) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    shapes = cell.parameter_shapes(input_size, _UNITS)
    return {name: rng.standard_normal(shape) / 2 for name, shape in shapes.items()}


def _codes(sentences: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> Array:
    """One-hot codes of sentences that have equally many words, (T, B, k)."""
    indices = np.array([[vocabulary.index(word) for word in sentence] for sentence in sentences])
    return one_hot(indices.T, len(vocabulary))


def _three_outputs_reach_the_first_word(sentence: str) -> Answer:
    """Whether the backward output at the first word depends on three later words, and the forward one on none.

    Each word is replaced by one that stands nowhere; what changes at the first word is counted.
    """
    words = sentence.replace(",", "").rstrip(".").split()
    vocabulary = [*words, "other"]
    both = get_reference("bidirectional")
    weights = _drawn(both, len(vocabulary))
    variants = [words, *([*words[:k], "other", *words[k + 1 :]] for k in range(1, len(words)))]
    at_first = both.forward(weights, _codes(variants, vocabulary)).outputs[0]
    changed = at_first[1:] != at_first[0]
    ahead, back = changed[:, :_UNITS].any(axis=1), changed[:, _UNITS:].any(axis=1)
    reaching = [word for word, reaches in zip(words[1:], back, strict=True) if reaches]
    detail = f"the backward output at {words[0]} depends on {', '.join(reaching)}; the forward one on {ahead.sum()}"
    return Answer(len(reaching) == 3 and not ahead.any(), detail)


@dataclass(frozen=True)
class _Reviews:
    """Sentences, and what is said of them: the most words, and the steps and layers of the network that reads them."""

    sentences: tuple[str, ...]
    most_words: int
    steps: int
    layers: int


def _network_fits_the_sentences(reviews: _Reviews) -> Answer:
    """Whether a stack reads every sentence in so many steps and layers, and none has more words than is said."""
    sentences = [sentence.split() for sentence in reviews.sentences]
    lengths = {len(sentence) for sentence in sentences}
    if len(lengths) > 1:
        return Answer(False, f"sentences of {', '.join(map(str, sorted(lengths)))} words")
    stack = get_reference("stacked", layers=reviews.layers)
    run = stack.forward(_drawn(stack, 3), _codes(sentences, ("cut", "mat", "rat")))
    steps, layers = len(run.outputs), len(run.finals)
    detail = f"{len(sentences)} sentences of {max(lengths)} words: {steps} steps of {layers} layers"
    return Answer(max(lengths) <= reviews.most_words and (steps, layers) == (reviews.steps, reviews.layers), detail)


@dataclass(frozen=True)
class _AssumedState:
    """A state that is assumed after so many events: as an entry prints it, or as `text` has it in its place."""

    event: int
    entry: str = ""
    text: str = ""


def _assumed_state_is_not_tabulated(state: _AssumedState) -> Answer:
    """Whether the state that an entry prints is another than the row of the table of events (E-013)."""
    table = library().entries["E-013"][1]
    assert isinstance(table, Table)
    text = state.text or library().entries[state.entry][1].printed
    (assumed,) = table_rows(table.model_copy(update={"printed": text}))
    tabulated = next(row for row in table_rows(table) if row.label == str(state.event))
    shown = [f"[{', '.join(f'{float(number):g}' for number in row.numbers)}]" for row in (assumed, tabulated)]
    detail = f"{shown[0]} is assumed, the row of event {state.event} is {shown[1]}"
    return Answer(assumed.numbers != tabulated.numbers, detail)


def facts_of_documents() -> tuple[Fact[Any], ...]:
    """Return the facts of the documents' own numbers and sentences."""
    reviews = _Reviews(("cut mat mat", "mat mat mat", "mat cut cut"), most_words=5, steps=3, layers=2)
    long_reviews = _Reviews(("mat cut cut mat mat cut", "mat mat mat mat mat mat"), most_words=5, steps=3, layers=2)
    rows: tuple[Fact[Any], ...] = (
        Fact(
            "words-behind-amazon",
            _three_outputs_reach_the_first_word,
            "Amazon, the best website.",
            "Amazon, the website.",
        ),
        Fact("sentences-of-three-words", _network_fits_the_sentences, reviews, long_reviews),
        Fact(
            "state-after-three-events",
            _assumed_state_is_not_tabulated,
            _AssumedState(3, "E-014"),
            _AssumedState(3, text="h_{t-1} = [0.7, 0.3, 0.4, 0]"),
        ),
    )
    return rows
