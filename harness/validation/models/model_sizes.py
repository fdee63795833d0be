"""The sizes that stand in a model's parameters, and sizes for its arguments that cannot be confused with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.models.recurrent_part import RecurrentPart, find_torch_parts

if TYPE_CHECKING:
    from torch import nn

_FREE = (5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
"""Primes, so that no axis is a multiple of another; five steps suffice to tell the first, the last and all apart."""


_LARGEST = 1024
"""The largest number among a model's attributes that is taken for a size."""


@dataclass(frozen=True)
class ModelSizes:
    """Sizes of a model.

    Attributes:
        features: What the last axis of its inputs may be, likely ones first.
        hidden: The hidden sizes of its recurrent parts, or else what the columns of its weights suggest.
        vocabulary: The smallest number of tokens that one of its embeddings takes; 0 without an embedding.
        free_sizes: Two sizes, for steps and rows, that no axis of a parameter has.
        parts: torch's layers and cells in it.
    """

    features: tuple[int, ...]
    hidden: tuple[int, ...]
    vocabulary: int
    free_sizes: tuple[int, int]
    parts: tuple[RecurrentPart, ...]


def _is_vocabulary(name: str, value: object) -> bool:
    """Whether an attribute is the number of tokens, of which a model without an embedding may make vectors of ones."""
    return "vocab" in name.lower() and type(value) is int and value <= _LARGEST


def _is_batch_size(name: str, value: object) -> bool:
    """Whether an attribute is the number of rows that a model was made for."""
    return name.lower() in ("batch_size", "batchsize", "bsz") and type(value) is int and 1 < value <= _LARGEST


def read_sizes(module: nn.Module) -> ModelSizes:
    """Read the sizes of a model from its modules and parameters.

    Args:
        module: The model; it is not run.
    """
    from torch import nn
    from torch.nn.parameter import is_lazy

    parts = find_torch_parts(module)
    linear = [part.in_features for part in module.modules() if isinstance(part, nn.Linear)]
    embeddings = [part.num_embeddings for part in module.modules() if isinstance(part, nn.Embedding)]
    embeddings = embeddings or [value for name, value in vars(module).items() if _is_vocabulary(name, value)]
    norms = [part.normalized_shape[-1] for part in module.modules() if isinstance(part, nn.LayerNorm)]
    known = [parameter for parameter in module.parameters() if not is_lazy(parameter)]
    columns = [parameter.shape[-1] for parameter in known if parameter.dim() > 1]
    hidden = list(dict.fromkeys(part.output_size for part in parts)) or list(dict.fromkeys(columns))
    # A layer may take the inputs beside one state, or beside two of equal width.
    differences = [size - states * d for states in (1, 2) for size in linear for d in hidden if size > states * d]
    kept = [value for value in vars(module).values() if type(value) is int and 0 < value <= _LARGEST]
    own_sizes = (part.input_size for part in parts)
    features = dict.fromkeys([*own_sizes, *linear, *norms, *columns, *differences, 1, *kept])
    axes = {size for parameter in known for size in parameter.shape}
    taken = {*axes, *features, *hidden, *(2 * d for d in hidden), *(d + n for d in hidden for n in features)}
    free = [size for size in _FREE if size not in taken]
    batch = next((value for name, value in vars(module).items() if _is_batch_size(name, value)), 0)
    if batch and any(part.batch_first for part in parts):
        free = [batch, *free]
    elif batch:  # a state for so many rows is made with the model
        free = [free[0], batch]
    return ModelSizes(
        tuple(size for size in features if size > 0)[:16],
        tuple(hidden[:4]),
        min(embeddings, default=0) if min(embeddings, default=0) > 2 else 0,
        (free[0], free[1]),
        parts,
    )
