"""Is a token left out that the model's own embedding calls padding?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rnn_harness.validation.loading.adapters.adapter import FurtherInput, HoldsParts
from rnn_harness.validation.models.check_lengths import (
    PaddedBatch,
    differing_row,
    falling_lengths,
    with_padding,
)
from rnn_harness.validation.models.run_model import ModelRun
from rnn_harness.validation.models.statement import WiringStatement, agrees, not_run, refuted
from rnn_harness.validation.models.under_test import ModelUnderTest

if TYPE_CHECKING:
    from torch import Tensor

CHECK = "padding-token"


def check_padding_token(model: ModelUnderTest) -> Iterator[WiringStatement]:
    """Change the numbers that stand for padding: no output of a row may change before its padding.

    A mask is lost where an operation between the embedding and a recurrent layer does not carry it on. It is refuted
    only where a recurrent layer runs over the padding step by step, without a mask, and that reaches an output: what
    else reaches it may be meant so.

    Args:
        model: The model; where it does not say that a token is padding, nothing is yielded. Where it takes several
            sequences of tokens, all of them end with padding at the same steps.
    """
    inputs = model.module.model_inputs if isinstance(model.module, HoldsParts) else None
    rows = "" if inputs is None else inputs.padding_rows
    batch = _all_padded(model, falling_lengths(model, 0, "")) if rows else None
    if batch is None:
        return
    arguments = batch.arguments
    expected = model.runs(arguments)
    if expected is None:
        yield not_run(CHECK, "it raises for rows that end with token 0, which its embedding calls padding")
        return

    def moved(token: int) -> ModelRun:
        def change(embedding: Tensor) -> Tensor:
            changed = embedding.clone()
            changed[token] += 1
            return changed

        return model.changed_parameters([rows], change, arguments)

    if differing_row(model, batch, moved(int(arguments.sequence[0, 0])), expected) is None:
        yield not_run(CHECK, "the embedding that calls token 0 padding is not that of its first sequence")
        return
    run = moved(0)
    row = differing_row(model, batch, run, expected)
    if row is None:
        yield agrees(CHECK, "token 0, which its embedding calls padding, is left out")
        return
    unmasked = next((part for part in model.parts if _runs_over_padding(part.name, batch.lengths, run, expected)), None)
    words = "its embedding says that token 0 is padding, which is left out (mask_zero)"
    length = int(batch.lengths[row])
    if unmasked is None:
        yield not_run(CHECK, f"{words}, but what stands for it reaches the outputs, on another way than its layers")
        return
    yield refuted(
        CHECK,
        f"{words}, but {unmasked.shown_name} is given no mask: it runs over the padding, and what stands for that "
        f"reaches the outputs of row {row}, which has {length} of {batch.steps} steps; the mask is lost on the way",
        unmasked.name,
    )


def _all_padded(model: ModelUnderTest, batch: PaddedBatch) -> PaddedBatch | None:
    """Rows of which every sequence of tokens ends with padding; None where these have other steps than the first."""
    arguments = batch.arguments
    known = {further.name for further in _further_tokens(model)}
    for argument in batch.arguments.arguments:
        if argument.name not in known:
            continue
        if argument.value.shape != arguments.sequence.shape:
            return None
        padded = with_padding(model, argument.value, batch.lengths, batch.batch_axis)
        arguments = arguments.with_value(argument.name, padded)
    return replace(batch, arguments=arguments)


def _further_tokens(model: ModelUnderTest) -> list[FurtherInput]:
    """The sequences of tokens that a model takes besides its first one."""
    further = model.module.model_inputs.further if isinstance(model.module, HoldsParts) else ()
    return [known for known in further if known.role == "sequence" and known.vocabulary]


def _runs_over_padding(name: str, lengths: Tensor, run: ModelRun, expected: ModelRun) -> bool:
    """Whether a layer is given what stands for padding at the steps of padding, at all of them and nowhere else."""
    calls = list(zip(run.of(name), expected.of(name), strict=False))
    return any(_is_at_padding(first.arguments[0], second.arguments[0], lengths) for first, second in calls)


def _is_at_padding(first: Tensor, second: Tensor, lengths: Tensor) -> bool:
    """Whether two inputs (B, T, n) differ at the steps of padding alone."""
    import torch

    if first.shape != second.shape or first.dim() != 3 or len(first) != len(lengths):
        return False
    ended = torch.arange(first.shape[1]) >= lengths[:, None]
    return torch.equal((first != second).any(-1), ended)
