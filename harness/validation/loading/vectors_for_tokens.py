"""A model of tokens whose recurrence stands in its own forward: driven by vectors in the place of its embedding's."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target

_MOST_WIDTHS = 6


class Vectors(nn.Module):
    """What stands for an embedding: it gives the vectors that it is given."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Give the vectors back.

        Args:
            vectors: (..., n).
        """
        return vectors


def target_of_vectors(target: Target) -> Target | None:
    """Return a model of tokens as a layer that reads vectors; None where it is none, or cannot be driven so.

    Args:
        target: A torch target that holds no part which is known to carry a state.
    """
    if target.capabilities.library is not None:
        return None
    sizes = target.capabilities.fixed_sizes or TRIAL_SIZES
    embedding = _name_and_width(target.make_module(*sizes))
    if embedding is None:
        return None
    name, n = embedding
    layer = _of_vectors(target.make_module(*sizes))
    for width in _widths(layer, sizes.hidden_size):
        try:
            find_convention(layer, n, width)
        except WrongLayout:
            pass
        except Exception:  # a module that is called in a wrong way may raise anything
            continue
        note = f"vectors are given in the place of tokens: its embedding {name} is left out"
        return _driven(target, CellSizes(n, width), sizes, note)
    return None


def _driven(target: Target, fitting: CellSizes, sizes: CellSizes, note: str) -> Target:
    """A model of tokens as a layer of vectors: of any sizes, where those that it is made for are those that fit."""
    is_of_any_size = target.capabilities.fixed_sizes is None and fitting == sizes
    capabilities = replace(
        target.capabilities,
        fixed_sizes=None if is_of_any_size else fitting,
        calling_convention=None,
        notes=(*target.capabilities.notes, note),
    )

    def make_module(n: int, d: int) -> nn.Module:
        return _of_vectors(target.make_module(*(CellSizes(n, d) if is_of_any_size else sizes)))

    return replace(target, make_module=make_module, capabilities=capabilities)


def _name_and_width(module: nn.Module) -> tuple[str, int] | None:
    """The name and the width of the one embedding of a module; None where it has none, or several."""
    embeddings = [(name, part) for name, part in module.named_modules() if isinstance(part, nn.Embedding)]
    if len(embeddings) != 1 or not embeddings[0][0]:
        return None
    name, embedding = embeddings[0]
    return name, embedding.embedding_dim


def _of_vectors(module: nn.Module) -> nn.Module:
    """Put `Vectors` in the place of the one embedding of a module, which is changed."""
    embedding = _name_and_width(module)
    assert embedding is not None, "a target makes the same module at every size"
    holder, _, name = embedding[0].rpartition(".")
    setattr(module.get_submodule(holder), name, Vectors())
    return in_evaluation(module)


def _widths(layer: nn.Module, hidden_size: int) -> list[int]:
    """The widths that its states may have: what it is made for, then those of its weights, rows before columns."""
    shapes = [value.shape for value in layer.parameters() if value.dim() == 2]
    rows, columns = ([int(shape[axis]) for shape in shapes] for axis in (0, 1))
    return list(dict.fromkeys([hidden_size, *rows, *columns]))[:_MOST_WIDTHS]
