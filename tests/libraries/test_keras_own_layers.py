"""Models of Keras with layers of the user's own, which are not registered: a configuration names their classes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rnn_harness.validation.loading.adapters.keras_layers import KerasAdapter
from rnn_harness.validation.loading.adapters.keras_making import keras_classes_of_users

keras = pytest.importorskip("keras")


def own_pooling() -> Any:
    """Make a class of layers that Keras does not know by name: the mean over the steps."""

    def call(_: Any, x: Any) -> Any:
        return keras.ops.mean(x, axis=1)

    return type("OwnPooling", (keras.layers.Layer,), {"call": call, "__module__": "mine"})


def test_a_model_with_a_layer_of_the_users_own_is_rebuilt() -> None:
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, own_pooling()()(keras.layers.GRU(4, return_sequences=True)(inputs)))
    with pytest.raises(TypeError, match="OwnPooling"):
        type(model).from_config(model.get_config())
    with keras_classes_of_users():
        rebuilt = type(model).from_config(model.get_config())
    assert type(rebuilt.layers[-1]).__name__ == "OwnPooling"
    assert rebuilt.count_params() == model.count_params()


def test_the_parts_of_a_layer_compute_in_the_format_that_it_is_judged_in() -> None:
    from tests.helpers.keras_cells import RecurrentOfItsInputsFormat

    as_it_was = keras.config.dtype_policy().name
    module = KerasAdapter().drive(RecurrentOfItsInputsFormat(5), 3, 5, {}).module.double()
    assert module(torch.randn(2, 4, 3, dtype=torch.float64)).dtype == torch.float64
    assert keras.config.dtype_policy().name == as_it_was
