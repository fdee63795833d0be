"""Reference forward+backward in float32 against torch.nn on the CPU, one thread. Run with ``tox -e bench``.

Dimension legend: H hidden size (and input size), B batch rows, T = 50 steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.benchmarks.speed.stopwatch import ratio_interval, time_interleaved
from rnn_harness.references import get_reference

STEPS = 50
LAYERS = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
GOALS = {"rnn": "<= 0.6 at H = 64, <= 1.3 elsewhere", "gru": "the same", "lstm": "<= 1.6 for B >= 16"}


def reference_call(family: str, hidden: int, batch: int, **options: Any) -> Callable[[], object]:
    cell = get_reference(family, **options)
    rng = np.random.default_rng(0)
    scale = 1 / np.sqrt(hidden)
    shapes = cell.parameter_shapes(hidden, hidden)
    parameters = {k: rng.uniform(-scale, scale, s).astype(np.float32) for k, s in shapes.items()}
    x = rng.standard_normal((STEPS, batch, hidden)).astype(np.float32)
    e = rng.standard_normal((STEPS, batch, hidden)).astype(np.float32)
    return lambda: cell.backward(cell.forward(parameters, x), e)


def torch_call(family: str, hidden: int, batch: int) -> Callable[[], object]:
    layer = LAYERS[family](hidden, hidden)
    x = torch.randn(STEPS, batch, hidden, requires_grad=True)
    e = torch.randn(STEPS, batch, hidden)

    def call() -> None:
        layer.zero_grad(set_to_none=True)
        x.grad = None
        layer(x)[0].backward(e)

    return call


@pytest.mark.parametrize("family", LAYERS)
def test_ratio_to_torch(family: str) -> None:
    torch.set_num_threads(1)
    options = {"reset": "after"} if family == "gru" else {}
    print(f"\n{family}: reference / torch.nn, forward+backward, float32; goal {GOALS[family]}")
    for hidden in (16, 64, 256):
        row = []
        for batch in (1, 16, 64):
            calls = {
                "reference": reference_call(family, hidden, batch, **options),
                "torch": torch_call(family, hidden, batch),
            }
            samples = time_interleaved(calls, 9)
            assert len(samples["reference"]) == 9
            row.append(f"B={batch}: {ratio_interval(samples, 'reference', 'torch')}")
        print(f"  H={hidden:<4d} " + "   ".join(row))
