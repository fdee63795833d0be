"""Adapters: what is made with some library, driven as a torch module."""

from __future__ import annotations

import functools
from importlib.metadata import entry_points

from rnn_harness.errors import UsageError
from rnn_harness.validation.loading.adapters.adapter import Adapter, DrivenModule, import_library
from rnn_harness.validation.loading.adapters.array_objects import ArrayObjectAdapter
from rnn_harness.validation.loading.adapters.haiku_modules import HaikuAdapter
from rnn_harness.validation.loading.adapters.init_and_apply import InitAndApplyAdapter
from rnn_harness.validation.loading.adapters.jax_modules import EquinoxAdapter, NnxAdapter
from rnn_harness.validation.loading.adapters.keras_layers import KerasAdapter, choose_backend
from rnn_harness.validation.loading.adapters.linen_modules import LinenAdapter
from rnn_harness.validation.loading.adapters.onnx_models import OnnxAdapter
from rnn_harness.validation.loading.adapters.step_functions import StepFunctionAdapter
from rnn_harness.validation.loading.adapters.torch_modules import TorchAdapter

__all__ = ["Adapter", "DrivenModule", "all_adapters", "choose_adapter", "choose_backend", "import_library"]
ENTRY_POINT_GROUP = "rnn_harness.adapters"


@functools.cache
def all_adapters() -> tuple[Adapter, ...]:
    """Return every adapter in the order in which they are asked: of other packages first, the least particular last.

    Raises:
        UsageError: An adapter of another package cannot be loaded, or lacks a member of `Adapter`.
    """
    installed: list[Adapter] = []
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            adapter = entry.load()()
        except Exception as error:  # another package may raise anything
            raise UsageError(f"adapter {entry.name} of {entry.value} cannot be loaded: {error}") from None
        if not isinstance(adapter, Adapter):
            raise UsageError(
                f"adapter {entry.name} of {entry.value} is none: it needs name, options, accepts, defaults and drive"
            )
        installed.append(adapter)
    return (
        *installed,
        KerasAdapter(),
        LinenAdapter(),
        NnxAdapter(),
        EquinoxAdapter(),
        HaikuAdapter(),
        OnnxAdapter(),
        TorchAdapter(),
        StepFunctionAdapter(),
        ArrayObjectAdapter(),
        InitAndApplyAdapter(),
    )


def choose_adapter(cell_type: type, name: str | None = None) -> Adapter | None:
    """Choose the adapter for objects of a class.

    Args:
        cell_type: The class.
        name: The adapter's name, if it must be a particular one.

    Returns:
        The adapter of that name, or the first that accepts the class; None if no adapter does.

    Raises:
        UsageError: There is no adapter of that name.
    """
    if name is None:
        return next((adapter for adapter in all_adapters() if adapter.accepts(cell_type)), None)
    named = next((adapter for adapter in all_adapters() if adapter.name == name), None)
    if named is None:
        known = ", ".join(adapter.name for adapter in all_adapters())
        raise UsageError(f"there is no adapter {name!r}; there are {known}")
    return named
