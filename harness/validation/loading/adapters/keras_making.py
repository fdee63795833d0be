"""What holds while a layer of Keras is made again: its classes are known, and its parts compute in its dtype."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from rnn_harness.validation.loading.adapters.adapter import import_library


@contextlib.contextmanager
def made_in(dtype: str) -> Iterator[None]:
    """Let what is made within the context compute in a dtype.

    The configuration of a layer says its own dtype. The layers that its constructor, its ``build`` or its first call
    makes compute in Keras' global dtype, unless they are told another one.

    Args:
        dtype: A name of a dtype of Keras, such as ``float64``.
    """
    config = import_library("keras", "keras").config
    as_it_was = config.dtype_policy()
    config.set_dtype_policy(dtype)
    try:
        with keras_classes_of_users():
            yield
    finally:
        config.set_dtype_policy(as_it_was)


def keras_classes_of_users() -> AbstractContextManager[Any]:
    """Let Keras find the layers that are not its own by their names: a configuration names the classes of its parts."""
    keras = import_library("keras", "keras")
    classes = [keras.layers.Layer]
    for layer_class in classes:
        classes += layer_class.__subclasses__()
    of_users = {
        layer_class.__name__: layer_class for layer_class in classes if not layer_class.__module__.startswith("keras.")
    }
    scope: AbstractContextManager[Any] = keras.saving.CustomObjectScope(of_users)
    return scope
