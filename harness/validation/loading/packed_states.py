"""Torch's layers on packed rows while ways of calling are tried: torch 2.13 does not check the states of an LSTM there.

States of another number of rows than the packed sequence are read beyond their end, and the process dies of it. What is
tried includes such calls, so that they are refused as torch refuses them where nothing is packed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def states_of_packed_rows_are_checked() -> Iterator[None]:
    """Refuse, until the end of the block, packed rows with states of other numbers of rows or layers.

    Raises:
        RuntimeError: In the block, a layer is called so.
    """
    from torch import nn

    handle = nn.modules.module.register_module_forward_pre_hook(_check)
    try:
        yield
    finally:
        handle.remove()


def _check(module: Any, arguments: tuple[Any, ...]) -> None:
    """Compare the states that a layer of torch is given with the packed rows."""
    from torch import nn
    from torch.nn.utils.rnn import PackedSequence

    if not isinstance(module, nn.RNNBase) or len(arguments) < 2 or not isinstance(arguments[0], PackedSequence):
        return
    rows = int(arguments[0].batch_sizes[0])
    layers = module.num_layers * (2 if module.bidirectional else 1)
    states = arguments[1] if isinstance(arguments[1], tuple | list) else [arguments[1]]
    for state in states:
        if state is not None and tuple(state.shape[:2]) != (layers, rows):
            raise RuntimeError(f"Expected hidden size ({layers}, {rows}, ...), got {tuple(state.shape)}")
