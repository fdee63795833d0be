"""Two models of Keras that agree on tokens that fill their rows: one of them leaves out padding."""

from __future__ import annotations

from typing import Any

from keras import Input, Sequential, layers


def mask_of_tokens() -> Any:
    return Sequential([layers.Embedding(13, 5, mask_zero=True), layers.SimpleRNN(4), layers.Dense(3)])


def no_mask_of_tokens() -> Any:
    return Sequential([layers.Embedding(13, 5), layers.SimpleRNN(4), layers.Dense(3)])


def mask_of_numbers() -> Any:
    return Sequential(
        [Input((None, 5)), layers.Masking(), layers.SimpleRNN(4, return_sequences=True), layers.SimpleRNN(4)]
    )


def no_mask_of_numbers() -> Any:
    return Sequential([Input((None, 5)), layers.SimpleRNN(4, return_sequences=True), layers.SimpleRNN(4)])
