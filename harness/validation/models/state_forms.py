"""What a model may take as its state: one tensor or several, of all layers or of one, in tuples, lists or alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rnn_harness.attributes import member
from rnn_harness.validation.models.argument_names import STATE_METHODS
from rnn_harness.validation.models.model_arguments import map_tensors
from rnn_harness.validation.models.model_sizes import ModelSizes

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def state_forms(module: nn.Module, sizes: ModelSizes, rows: int, dtype: torch.dtype) -> Iterator[Any]:
    """Yield states with generic numbers, in every form that is tried.

    Args:
        module: The model; what its methods give as initial states comes first.
        sizes: Numbers that stand in the model's parameters, of which its states may be made.
        rows: The rows of the batch.
        dtype: The format of the numbers.
    """
    import torch

    generator = torch.Generator().manual_seed(rows)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) / 2

    yield from _from_methods(module, rows, dtype)
    layers, cells = [p for p in sizes.parts if p.is_layer], [p for p in sizes.parts if not p.is_layer]
    for part in layers:
        shape = (part.layers * part.directions, rows)
        hidden, cell = numbers(*shape, part.output_size), numbers(*shape, part.hidden_size)
        yield (hidden, cell) if part.has_cell_state else hidden
        yield (hidden[0], cell[0]) if part.has_cell_state else hidden[0]
        yield hidden
    if len(layers) > 1:
        yield [numbers(p.layers * p.directions, rows, p.output_size) for p in layers]
    for d in dict.fromkeys(part.hidden_size for part in cells):
        yield numbers(rows, d)
        yield (numbers(rows, d), numbers(rows, d))
    if cells:
        d, count = cells[0].hidden_size, sum(1 + len(part.further_names) for part in cells)
        yield (numbers(count, rows, d), numbers(count, rows, d))
        yield numbers(count, rows, d)
        yield [(numbers(rows, d), numbers(rows, d)) for _ in range(count)]
        yield [numbers(rows, d) for _ in range(count)]
    if not sizes.parts:
        for d in sizes.hidden:
            yield numbers(rows, d)
            yield (numbers(rows, d), numbers(rows, d))
            yield numbers(1, rows, d)  # of one layer: of torch, with a forward of the user's own


def _from_methods(module: nn.Module, rows: int, dtype: torch.dtype) -> Iterator[Any]:
    """Yield what the model's own methods give for a batch, with other numbers in the place of zeros."""
    import torch

    generator = torch.Generator().manual_seed(rows + 1)
    for name in STATE_METHODS:
        if not hasattr(module, name):
            continue
        try:
            state = member(module, name)(rows)
        except Exception:  # it wants other arguments
            continue
        if state is not None:
            yield map_tensors(
                lambda zeros: torch.randn(zeros.shape, generator=generator, dtype=torch.float64).to(dtype) / 2, state
            )
