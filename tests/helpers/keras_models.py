"""Models of Keras around recurrent layers: right ones, and next to each the same with one mistake."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


class Scores(keras.Model):
    """The last state of tokens, of which 0 is padding."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.embedding = layers.Embedding(20, 4, mask_zero=True)
        self.rnn = layers.GRU(5)
        self.head = layers.Dense(1)

    def between(self, x: Any) -> Any:
        return x

    def call(self, tokens: Any) -> Any:
        return self.head(self.rnn(self.between(self.embedding(tokens))))


class MaskLost(Scores):
    def between(self, x: Any) -> Any:
        return 2.0 * x


class SizesAlone(Scores):
    """Its constructor takes sizes, of which it tells Keras nothing, as most classes of users."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.rnn = layers.LSTM(units)


class SizesAloneMaskLost(SizesAlone):
    def between(self, x: Any) -> Any:
        return 2.0 * x


class MaskHandedOn(Scores):
    """It takes the mask from the embedding by hand."""

    def call(self, tokens: Any) -> Any:
        x = 2.0 * self.embedding(tokens)
        return self.head(self.rnn(x, mask=self.embedding.compute_mask(tokens)))


class LastStepPicked(Scores):
    """Its layer runs over the padding, and what comes before that is taken."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.rnn = layers.GRU(5, return_sequences=True)

    def call(self, tokens: Any) -> Any:
        steps = self.rnn(2.0 * self.embedding(tokens))
        last = keras.ops.sum(keras.ops.cast(tokens != 0, "int32"), 1) - 1
        return self.head(keras.ops.take_along_axis(steps, last[:, None, None], axis=1)[:, 0])


def _encoder_and_decoder(exchanged: bool) -> Any:
    source, target = keras.Input((None, 5)), keras.Input((None, 4))
    _, h, c = layers.LSTM(6, return_state=True)(source)
    states = [c, h] if exchanged else [h, c]
    return keras.Model([source, target], layers.LSTM(6, return_sequences=True)(target, initial_state=states))


def encoder_and_decoder() -> Any:
    return _encoder_and_decoder(False)


def exchanged_states() -> Any:
    return _encoder_and_decoder(True)


class Translator(keras.Model):
    """It is called with a list of two sequences of tokens, and says so nowhere but in its code."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.source, self.target = layers.Embedding(9, 4, mask_zero=True), layers.Embedding(8, 4, mask_zero=True)
        self.encoder = layers.Bidirectional(layers.LSTM(units, return_state=True))
        self.decoder = layers.LSTM(2 * units, return_sequences=True)

    def joined(self, states: list[Any]) -> tuple[Any, Any]:
        forth_h, forth_c, back_h, back_c = states
        return layers.concatenate([forth_h, back_h]), layers.concatenate([forth_c, back_c])

    def call(self, inputs: Any) -> Any:
        source, target = inputs
        _, *states = self.encoder(self.source(source))
        return self.decoder(self.target(target), initial_state=list(self.joined(states)))


class TranslatorOfMixedStates(Translator):
    def joined(self, states: list[Any]) -> tuple[Any, Any]:
        return layers.concatenate(states[:2]), layers.concatenate(states[2:])


class TwoArguments(Translator):
    """It is called with two sequences one by one."""

    def call(self, source: Any, target: Any, training: bool = False) -> Any:  # type: ignore[override]
        return super().call([source, target])


def _of_two_kinds_of_tokens(joined: Any) -> Any:
    words, shapes = (keras.Input((None,), dtype="int32", name=name) for name in ("words", "shapes"))
    embedded = [layers.Embedding(size, 3, mask_zero=True)(x) for size, x in ((9, words), (8, shapes))]
    return keras.Model([words, shapes], layers.Dense(2)(layers.GRU(4)(joined(embedded))))


def two_kinds_of_tokens() -> Any:
    """Return a model whose two embeddings are joined by a layer, which joins their masks too."""
    return _of_two_kinds_of_tokens(layers.Concatenate())


def two_kinds_of_tokens_mask_lost() -> Any:
    """Return the same, joined by an operation that knows of no mask."""
    return _of_two_kinds_of_tokens(lambda embedded: keras.ops.concatenate(embedded, axis=-1))
