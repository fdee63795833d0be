"""How long a target takes for a sequence, and how long the layer of torch that is nearest to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.comparison.cell_description import CellTimes
from rnn_harness.comparison.own_decay import tied_driver
from rnn_harness.comparison.tied_cell import TiedCell
from rnn_harness.families import FAMILIES, torch_class

if TYPE_CHECKING:
    from torch import Tensor

TIMED_SIZES = {"n": 64, "d": 64, "B": 16, "T": 20}
ROUNDS = 7


def cell_times(tied: TiedCell) -> CellTimes:
    """Time a forward and a backward over a sequence, in float32 where the target takes that, with its own weights.

    The target and torch's layer take turns, so that a busy machine slows both.

    Args:
        tied: The target.
    """
    import torch

    n, d = tied.target.capabilities.fixed_sizes or (TIMED_SIZES["n"], TIMED_SIZES["d"])
    rows, steps = TIMED_SIZES["B"], TIMED_SIZES["T"]
    dtype = "float32" if "float32" in tied.target.capabilities.dtypes else "float64"
    draws = torch.Generator().manual_seed(0)
    inputs, d_outputs = (torch.randn(steps, rows, size, generator=draws, dtype=torch_dtype(dtype)) for size in (n, d))
    family = _nearest_family(tied)
    layer_class = f"nn.{FAMILIES[family].torch_class}"
    layer = torch_class(FAMILIES[family].torch_class)(n, d).to(torch_dtype(dtype))
    run = _runner(tied, n, d, inputs)
    has_gradients = not tied.target.capabilities.no_gradients_reason
    forward, of_torch = _median_seconds(
        lambda: _without_gradients(lambda: run(False)), lambda: _without_gradients(lambda: layer(inputs))
    )
    backward, of_torch_both = _median_seconds(
        (lambda: torch.autograd.backward(run(True), d_outputs)) if has_gradients else (lambda: None),
        lambda: torch.autograd.backward(layer(inputs)[0], d_outputs),
    )
    sizes = f"{dtype}, n = {n}, d = {d}, B = {rows}, T = {steps}, one thread"
    return CellTimes(sizes, forward, backward if has_gradients else None, layer_class, of_torch, of_torch_both)


def _nearest_family(tied: TiedCell) -> str:
    """Name the family of torch's nearest layer: that of the target, or one with as many states, gated."""
    if tied.match is not None:
        return tied.match.model.family
    return "gru" if len(tied_driver(tied)[1]) == 1 else "lstm"


def _runner(tied: TiedCell, n: int, d: int, inputs: Tensor) -> Callable[[bool], Tensor]:
    """Return what runs the target over a sequence from states of zero, with gradients for its weights or without."""
    driver, names = tied_driver(tied)
    module = tied.target.make_module(n, d)
    states = {name: inputs.new_zeros(inputs.shape[1], d) for name in names}
    drawn = {name: value.detach().clone().to(inputs.dtype) for name, value in module.named_parameters()}

    def run(has_graph: bool) -> Tensor:
        leaves = {name: value.requires_grad_(has_graph) for name, value in drawn.items()}
        return driver.run(leaves, inputs, states, None)[0]

    return run


def _without_gradients(call: Callable[[], object]) -> None:
    """Make a call that keeps nothing for a backward."""
    import torch

    with torch.no_grad():
        call()


def _median_seconds(*calls: Callable[[], object]) -> tuple[float, ...]:
    """Return the median seconds of every call, after one each that counts for nothing."""
    for call in calls:
        call()
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for place, call in enumerate(calls):
            start = time.perf_counter()
            call()
            seconds[place].append(time.perf_counter() - start)
    return tuple(median(row) for row in seconds)
