"""Facts of data around sequences: codes of words, windows, splits, and how a sequence goes in and comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.arithmetic.assumptions import FACT_MARGIN
from rnn_harness.array_types import Array
from rnn_harness.checks.facts.fact import Answer, Fact
from rnn_harness.references import encode_decode, get_reference, many_to_one, one_hot, one_to_many
from rnn_harness.references.sequences import chronological_split, stateful_batches, windows


def _split_is_in_order(parts: Sequence[Sequence[int]]) -> Answer:
    joined = [index for part in parts for index in part]
    total = len(joined)
    shares = [len(part) / total for part in parts]
    runs = all(list(part) == list(range(part[0], part[0] + len(part))) for part in parts)
    agrees = joined == list(range(total)) and runs and shares == [0.7, 0.2, 0.1]
    return Answer(agrees, f"shares {shares}, {'in order' if joined == sorted(joined) else 'shuffled'}")


def _windows_stay_consecutive(parts: Sequence[Sequence[int]]) -> Answer:
    """Whether every window of three samples of a part holds three that follow each other in time."""
    cut = [windows(np.array(part), 3, 1, 1)[0] for part in parts]
    rows = np.concatenate(cut)
    broken = int((np.diff(rows, axis=1) != 1).any(axis=1).sum())
    return Answer(not broken, f"of {len(rows)} windows {broken} are not consecutive")


def _windows_do_not_overlap(starts: Sequence[Array]) -> Answer:
    samples = [int(value) for window in starts for value in window]
    twice = len(samples) - len(set(samples))
    return Answer(not twice, f"{len(starts)} windows, {twice} samples twice")


def _starts_from_zeros(state: float) -> Answer:
    cell = get_reference("rnn")
    parameters = {name: np.full(shape, 0.25) for name, shape in cell.parameter_shapes(2, 3).items()}
    inputs = np.ones((2, 1, 2))
    bare = cell.forward(parameters, inputs).outputs
    begun = cell.forward(parameters, inputs, {"h": np.full((1, 3), state)}).outputs
    return Answer(bool(np.array_equal(bare, begun)), f"without a state it runs as from {state:g}")


def _test_windows_are_unseen(parts: Sequence[Sequence[int]]) -> Answer:
    """Whether windows of three samples in the test part hold no sample of the training part, and come later."""
    training, test = set(parts[0]), list(parts[2])
    tested = {index for start in test[:-2] for index in range(start, start + 3)}
    both = len(training & tested)
    detail = f"{both} samples of the test's windows were trained on"
    return Answer(not both and min(test) > max(training), detail)


def _windows_have_width_and_offset(settings: Sequence[tuple[int, int]]) -> Answer:
    """Whether windows of these widths and offsets all differ, and have that width, and targets so much later."""
    series = np.arange(12)
    cut = [windows(series, width, 1, offset) for width, offset in settings]
    fits = all(
        inputs.shape[1] == width and targets[0, 0] - inputs[0, 0] == offset
        for (inputs, targets), (width, offset) in zip(cut, settings, strict=True)
    )
    pairs = {(tuple(inputs[0]), tuple(targets[0])) for inputs, targets in cut}
    detail = "; ".join(f"width {w}, offset {o}: {len(x)} windows" for (x, _), (w, o) in zip(cut, settings, strict=True))
    return Answer(fits and len(pairs) == len(settings), detail)


def _a_step_has_values(sizes: Sequence[int]) -> Answer:
    """Whether a cell reads series of so many values a step, and each series moves its state."""
    cell = get_reference("rnn")
    moved = []
    for size in sizes:
        parameters = {name: np.full(shape, 0.25) for name, shape in cell.parameter_shapes(size, 3).items()}
        low, high = (cell.forward(parameters, np.full((4, 1, size), level)).outputs for level in (0.0, 1.0))
        moved.append(not np.array_equal(low, high))
    detail = ", ".join(
        f"{size} a step: {'read' if is_read else 'nothing to read'}" for size, is_read in zip(sizes, moved, strict=True)
    )
    return Answer(all(moved), detail)


def _codes_differ(words: Sequence[str]) -> Answer:
    """Whether the first and the fifth word of a vocabulary have different codes: those that 001:104-112 prints."""
    vocabulary = list(dict.fromkeys(words))
    codes = one_hot(np.array([vocabulary.index(word) for word in words]), len(words) + 1)
    texts = ["".join(str(int(digit)) for digit in np.roll(code, 1)) for code in codes]
    return Answer(texts[0] != texts[4], f"{words[0]} {texts[0]}, {words[4]} {texts[4]}")


def _ways_in_and_out(counts: Mapping[str, tuple[int, int]]) -> Answer:
    """Whether each wiring takes and gives so many vectors (the numbers of inputs, of outputs)."""
    cell = get_reference("gru")
    rng = np.random.default_rng(0)
    weights = {name: rng.standard_normal(shape) for name, shape in cell.parameter_shapes(3, 3).items()}
    sentence, answer = rng.standard_normal((5, 1, 3)), rng.standard_normal((2, 1, 3))
    computed = {
        "one to many": (1, len(one_to_many(cell, weights, sentence[0], 4))),
        "many to one": (5, int(many_to_one(cell, weights, sentence).ndim == 2)),
        "many to many": (5, len(encode_decode(cell, cell, (weights, weights), sentence, answer)[1].outputs)),
    }
    detail = "; ".join(f"{name}: {inputs} in, {outputs} out" for name, (inputs, outputs) in computed.items())
    return Answer(computed == dict(counts), detail)


def _takes_any_length(weights: Array) -> Answer:
    """Whether weights can be applied to sequences of 5 and of 9 numbers: a kernel slides, a matrix fits one size."""
    lengths = []
    for length in (5, 9):
        if weights.ndim == 1:
            lengths.append(len(np.convolve(np.ones(length), weights, mode="valid")))
        elif weights.shape[1] == length:
            lengths.append(len(weights @ np.ones(length)))
    return Answer(len(lengths) == 2, f"applied to {len(lengths)} of 2 lengths")


def _windows_give_the_past(width: int) -> Answer:
    """Whether a layer without a memory computes x_t + x_{t-1}, reading so many samples at a time."""
    series = np.random.default_rng(0).standard_normal(40)
    inputs = np.stack([series[start + 2 - width : start + 2] for start in range(38)])
    targets = series[1:39] + series[:38]
    weights, *_ = np.linalg.lstsq(inputs, targets, rcond=None)
    error = float(np.abs(inputs @ weights - targets).max())
    return Answer(error <= FACT_MARGIN, f"windows of {width}: largest error {error:.1g}")


def facts_of_sequences() -> tuple[Fact[Any], ...]:
    """Return the facts of data around sequences."""
    split = [list(part) for part in chronological_split(100)]
    shuffled = [[*split[0][1:], split[1][0]], [split[0][0], *split[1][1:]], split[2]]
    order = np.random.default_rng(0).permutation(100).tolist()
    drawn = [[order[index] for index in part] for part in split]
    mixed = [split[0][::2], split[1], split[0][1::2]]
    carried = [inputs[:, 0] for inputs, _ in stateful_batches(np.arange(13), 1, 4)]
    sliding = list(windows(np.arange(13), 4)[0])
    ways = {"one to many": (1, 4), "many to one": (5, 1), "many to many": (5, 2)}
    sentence = ("The", "cat", "sat", "on", "the", "mat")
    rows: tuple[Fact[Any], ...] = (
        Fact("split-in-order", _split_is_in_order, split, shuffled),
        Fact("windows-stay-consecutive", _windows_stay_consecutive, split, drawn),
        Fact("windows-do-not-overlap", _windows_do_not_overlap, carried, sliding),
        Fact("starts-from-zeros", _starts_from_zeros, 0.0, 0.5),
        Fact("test-windows-are-unseen", _test_windows_are_unseen, split, mixed),
        Fact("windows-have-width-and-offset", _windows_have_width_and_offset, ((2, 1), (2, 3), (4, 1)), ((2, 1),) * 2),
        Fact("a-step-has-values", _a_step_has_values, (1, 3), (1, 0)),
        Fact("codes-keep-case", _codes_differ, sentence, tuple(word.lower() for word in sentence)),
        Fact("ways-in-and-out", _ways_in_and_out, ways, {**ways, "many to one": (5, 5)}),
        Fact("a-kernel-takes-any-length", _takes_any_length, np.ones(3), np.ones((3, 5))),
        Fact("windows-give-the-past", _windows_give_the_past, 2, 1),
    )
    return rows
