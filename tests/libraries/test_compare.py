"""The pairs that people ask about: the same cell of two libraries, with its weights, or two that only look alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnn_harness.comparison.compare import compare_loaded
from rnn_harness.conversion.convert import ConversionRequest, convert_targets
from rnn_harness.conversion.weight_files import read_weights
from rnn_harness.validation import ValidationRequest, load_target

PAIRS: dict[str, tuple[str, str, dict[str, Any], str, tuple[str, ...]]] = {
    "Keras GRU, reset after": ("torch.nn:GRU", "keras.layers:GRU", {}, "same", ()),
    "Keras GRU, reset before": (
        "torch.nn:GRU",
        "keras.layers:GRU",
        {"reset_after": False},
        "different",
        (
            "b_hg (the recurrent bias of the candidate) is zero",
            "W_hg (the recurrent weights of the candidate) are diag",
        ),
    ),
    "Keras LSTM": ("torch.nn:LSTM", "keras.layers:LSTM", {}, "same", ()),
    "linen GRU, one bias inside": (
        "torch.nn:GRU",
        "flax.linen:GRUCell",
        {},
        "same",
        (),
    ),
    "equinox GRU": ("torch.nn:GRU", "equinox.nn:GRUCell", {}, "same", ()),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_of_two_libraries_is_what_it_is(name: str) -> None:
    first, second, options, outcome, conditions = PAIRS[name]
    comparison = compare_loaded(load_target(first), load_target(second, options))
    assert comparison.outcome == outcome, comparison.sentence
    for words in conditions:
        assert any(words in condition for condition in comparison.conditions)
    for side in (comparison.left, comparison.right):
        assert any(row.is_within_bound for row in side.precision)


@pytest.mark.usefixtures("in_process")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras on NumPy 2
@pytest.mark.parametrize(
    ("module", "layer"),
    [(torch.nn.LSTM(6, 4, batch_first=True), "LSTM"), (torch.nn.GRU(6, 4, batch_first=True), "GRU")],
)
def test_weights_of_torch_are_loaded_by_keras_and_give_the_same(
    module: torch.nn.Module, layer: str, tmp_path: Path
) -> None:
    keras = pytest.importorskip("keras")
    torch.save(module.state_dict(), tmp_path / "in.pt")
    requests = ValidationRequest(f"torch.nn:{layer}"), ValidationRequest(f"keras.layers:{layer}")
    result = convert_targets(ConversionRequest(*requests, tmp_path / "in.pt", tmp_path / "out.weights.h5"))
    assert result.outcome == "converted", result.sentence
    model = keras.Sequential([keras.Input((7, 6)), getattr(keras.layers, layer)(4, return_sequences=True)])
    model.load_weights(tmp_path / "out.weights.h5")
    x = np.random.default_rng(0).standard_normal((2, 7, 6)).astype(np.float32)
    expected = module(torch.from_numpy(x))[0].detach().numpy()
    np.testing.assert_allclose(np.asarray(model.predict(x, verbose=0)), expected, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "model.keras")
    read = read_weights(tmp_path / "model.keras")
    assert {f"layers/{layer.lower()}/cell/vars/0"} <= set(read)
