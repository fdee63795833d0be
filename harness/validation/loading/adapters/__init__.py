"""Adapters: what is made with some library, driven as a torch module."""

from __future__ import annotations

import functools
from importlib.metadata import entry_points

from rnn_harness.errors import UsageError
from rnn_harness.validation.loading.adapters.adapter import Adapter, DrivenModule, imported
from rnn_harness.validation.loading.adapters.array_objects import Arrays
from rnn_harness.validation.loading.adapters.jax_modules import Equinox, Linen, Nnx
from rnn_harness.validation.loading.adapters.keras_layers import Keras, choose_backend
from rnn_harness.validation.loading.adapters.onnx_models import Onnx
from rnn_harness.validation.loading.adapters.step_functions import Functions
from rnn_harness.validation.loading.adapters.torch_modules import Torch

__all__ = ["Adapter", "DrivenModule", "adapters", "choose", "choose_backend", "imported"]
GROUP = "rnn_harness.adapters"


@functools.cache
def adapters() -> tuple[Adapter, ...]:
    """Those of other packages first, then ours; the last take what the others leave. Raises UsageError."""
    others: list[Adapter] = []
    for entry in entry_points(group=GROUP):
        try:
            module = entry.load()()
        except Exception as error:  # somebody's package may raise anything
            raise UsageError(f"adapter {entry.name} of {entry.value} cannot be loaded: {error}") from None
        if not isinstance(module, Adapter):
            raise UsageError(f"adapter {entry.name} of {entry.value} is none: it needs name, claims, defaults and wrap")
        others.append(module)
    return (*others, Keras(), Linen(), Nnx(), Equinox(), Onnx(), Torch(), Functions(), Arrays())


def choose(kind: type, name: str | None = None) -> Adapter | None:
    """The adapter of that name, or the first that claims the class. Raises UsageError for a name there is not."""
    if name is None:
        return next((one for one in adapters() if one.claims(kind)), None)
    found = next((one for one in adapters() if one.name == name), None)
    if found is None:
        raise UsageError(f"there is no adapter {name!r}; there are {', '.join(one.name for one in adapters())}")
    return found
