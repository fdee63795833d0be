"""Models that make weights when they are called for the first time, called once so that they have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.first_call import may_make_weights
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.models.find_arguments import ModelNotCalled, find_arguments
from rnn_harness.validation.models.recurrent_part import find_torch_parts
from rnn_harness.validation.models.run_model import run_model

if TYPE_CHECKING:
    from torch import nn


def with_first_run(module: nn.Module) -> nn.Module:
    """Return a module with all of its weights: itself where it makes none when it is called, or cannot be called.

    Args:
        module: A model, as it was made.
    """
    import torch

    if not may_make_weights(module):
        return module
    called = in_evaluation(copied_module(module))
    try:
        arguments = find_arguments(called, [part.name for part in find_torch_parts(called)], torch.get_default_dtype())
    except ModelNotCalled:
        return module
    run_model(called, arguments, is_fresh=False)
    return called.train(module.training)
