"""What the user named as a loss: a function with weights of NumPy or of JAX, or a class that no adapter drives."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

from rnn_harness.errors import UsageError
from rnn_harness.options import OptionTable
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters import choose_adapter
from rnn_harness.validation.loading.adapters.numpy_functions import uses_jax
from rnn_harness.validation.loading.find_losses import LossSearch, loss_of_class, loss_of_function
from rnn_harness.validation.loading.jax_losses import JaxLoss, jax_loss
from rnn_harness.validation.loading.loss_calls import LossCall


def loss_of_object(cell: Any, options: OptionTable) -> LossCall | JaxLoss | None:
    """Return the loss that an object computes; None of a class that an adapter drives, and of anything else.

    Args:
        cell: What the user named.
        options: Further arguments of its constructor.

    Raises:
        UsageError: Its loss is no number however it is called.
    """
    search = LossSearch()
    loss: LossCall | None = None
    if isinstance(cell, type):
        is_driven = choose_adapter(cell, None) is not None
        loss = None if is_driven else loss_of_class(cell.__name__, cell, options, search)
    elif is_function(cell) and uses_jax(cell):
        return jax_loss(cell)
    elif inspect.isfunction(cell):
        loss = loss_of_function(cell.__name__, cell, search)
    if loss is None and search.gave_no_number is not None:
        raise UsageError(search.complaint())
    return loss


def with_loss_beside(capabilities: TargetCapabilities, cell_type: type, options: OptionTable) -> TargetCapabilities:
    """Return what a cell offers, with the loss that another method of its class computes, where it has no gradients.

    Args:
        capabilities: What the cell offers as it is driven.
        cell_type: Its class.
        options: Further arguments of its constructor.
    """
    if capabilities.no_gradients_reason is None or capabilities.library != "NumPy":
        return capabilities
    return replace(capabilities, loss_beside=loss_of_class(cell_type.__name__, cell_type, options))


def is_function(cell: Any) -> bool:
    """Say whether an object is a function, compiled or not.

    Args:
        cell: What the user named; an autograd Function is a class.
    """
    return inspect.isroutine(cell) or choose_adapter(type(cell)) is choose_adapter(type(is_function))
