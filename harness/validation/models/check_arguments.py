"""Does a call leave what it is given as it was: tensors, and the lists and dictionaries that hold them?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.held_entries import held_entries, replaced_words, says_in_place
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.models.given_states import with_states
from rnn_harness.validation.models.model_arguments import named_tensors
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "arguments"


def check_arguments(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Compare the arguments after a call with those before.

    Args:
        model: The model; it is called with a state where it takes one.
    """
    import torch

    copied = (with_states(model) or model.arguments).copied()
    held = [entries for a in copied.arguments for entries in held_entries(a.value, a.name)]
    tensors = [(name, tensor) for a in copied.arguments for name, tensor in named_tensors(a.value, a.name)]
    before: list[Tensor] = [tensor.clone() for _, tensor in tensors]
    runner = copied_module(model.module)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        call_target(runner, *copied.positional, **copied.keywords)
    written = [name for (name, tensor), value in zip(tensors, before, strict=True) if not torch.equal(tensor, value)]
    words = written[0] if written else replaced_words(held)
    if not words:
        yield agrees(CHECK, "what it is given stays as it was")
        return
    verb = "writes into" if written else "replaces entries of"
    sentence = f"it {verb} {words}, which it is given: whoever kept it has another state afterwards"
    if says_in_place(type(model.module)):
        yield not_run(CHECK, f"{sentence}; its source speaks of that")
    else:
        yield refuted(CHECK, sentence)
