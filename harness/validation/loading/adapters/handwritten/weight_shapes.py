"""Which shapes the weights of a cell can have, by their names, as products of n, d and a number of gates.

A family of one to four gates: the smallest number with which the state keeps its width is the right one. Shapes are
written by letters, so that what was found at one size holds at every size.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.cells.capabilities import CellSizes

WeightShapes: TypeAlias = Mapping[str, tuple[str, ...]]
"""Shapes by name: ``n``, ``d``, ``n+d``, ``1``, ``y`` the size of a prediction, ``3d`` the rows of three gates."""
Kind = Literal["input", "recurrent", "joined", "bias", "head", "head bias"]
HEAD_SIZE = 2
_WEIGHT_NAME = re.compile(r"^(w|u|v|r|b|k)(?![a-z]{5,})|weight|bias|kernel|theta", re.I)


def are_weights(names: Sequence[str]) -> bool:
    """Say whether arguments of these names are all weights and biases, at least two of them.

    Args:
        names: The names of a function's arguments.
    """
    return len(names) > 1 and all(_WEIGHT_NAME.search(name) for name in names)


def possible_shapes(names: Sequence[str]) -> Iterator[WeightShapes]:
    """Yield the shapes that weights of these names may have, likely ones first.

    Args:
        names: Names of arguments that are weights and biases.
    """
    yielded: list[WeightShapes] = []
    for kinds in _possible_kinds(names):
        for gates, transposed, bias in itertools.product((1, 2, 3, 4), (False, True), ("row", "column", "flat row")):
            rows = "d" if gates == 1 else f"{gates}d"
            shapes = {name: _shape(kinds[name], rows, bias, transposed=transposed) for name in names}
            if shapes not in yielded:
                yielded.append(shapes)
                yield shapes


def make_weights(shapes: WeightShapes, sizes: CellSizes, seed: int = 0) -> dict[str, Array]:
    """Make weights of these shapes.

    Args:
        shapes: The shapes by letters.
        sizes: The input size and the hidden size.
        seed: Where the numbers start.
    """
    n, d = sizes
    lengths = {"n": n, "d": d, "n+d": n + d, "1": 1, "y": HEAD_SIZE} | {f"{gates}d": gates * d for gates in (2, 3, 4)}
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(tuple(lengths[letter] for letter in shape)) / 2 for name, shape in shapes.items()}


def _shape(kind: Kind, rows: str, bias: str, *, transposed: bool) -> tuple[str, ...]:
    """The shape of a weight of a kind."""
    if kind in ("bias", "head bias"):
        size = "y" if kind == "head bias" else rows
        return {"row": (size,), "column": (size, "1"), "flat row": ("1", size)}[bias]
    if kind == "head":
        return ("d", "y") if transposed else ("y", "d")
    width = {"input": "n", "recurrent": "d", "joined": "n+d"}[kind]
    return (width, rows) if transposed else (rows, width)


def _possible_kinds(names: Sequence[str]) -> Iterator[dict[str, Kind]]:
    """Yield what weights of these names may be."""
    biases: dict[str, Kind] = {name: "bias" for name in names if _is_bias(name)}
    matrices = [name for name in names if name not in biases]
    headed = [name for name in names if _is_head(name)]
    for heads in [headed, []] if headed else [[]]:
        fixed: dict[str, Kind] = {name: "head bias" if name in biases else "head" for name in heads}
        free = [name for name in matrices if name not in fixed]
        for first, second in ((("input", "recurrent")), (("recurrent", "input"))):
            groups = _groups(free)
            if groups is not None:
                kinds: dict[str, Kind] = {}
                for name in free:
                    kinds[name] = first if name in groups else second  # type: ignore[assignment]
                yield {**biases, **kinds, **fixed}
        joined: dict[str, Kind] = dict.fromkeys(free, "joined")
        yield {**biases, **joined, **fixed}
        if 1 < len(free) <= 3:
            options: tuple[Kind, ...] = ("input", "recurrent", "joined")
            for chosen in itertools.product(options, repeat=len(free)):
                yield {**biases, **dict(zip(free, chosen, strict=True)), **fixed}


def _is_bias(name: str) -> bool:
    lowered = name.lower().replace("_", "")
    return lowered.startswith("b") or "bias" in lowered


def _is_head(name: str) -> bool:
    """Whether a name is that of the weights of a prediction: ``Wy``, ``Why``, ``Wya``, ``by``."""
    return "y" in name.lower() or "out" in name.lower()


def _groups(names: Sequence[str]) -> list[str] | None:
    """The input weights among weights that come in two groups; None if there are no two groups."""
    plain = {name: name.lower().replace("_", "") for name in names}
    rules: tuple[Callable[[str], bool], ...] = (
        lambda text: "x" in text or "ih" in text or "in" in text,
        lambda text: not text.startswith(("u", "r")),
        lambda text: not ("hh" in text or "rec" in text or "aa" in text),
        lambda text: not text.endswith("h"),
    )
    for rule in rules:
        chosen = [name for name, text in plain.items() if rule(text)]
        if chosen and len(chosen) < len(names):
            return chosen
    return None
