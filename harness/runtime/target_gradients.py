"""The gradients of a target, also of one whose graph torch can differentiate in one of its two ways alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rnn_harness.runtime.target_call import call_target

if TYPE_CHECKING:
    from torch import Tensor
    from torch.autograd.graph import Node


def target_gradients(
    results: Sequence[Tensor], leaves: Sequence[Tensor], cotangents: Sequence[Tensor], retain_graph: bool = False
) -> tuple[Tensor | None, ...]:
    """Differentiate the sum of cotangent times result.

    A checkpoint that is re-entrant runs a backward inside of the backward, which works with `Tensor.backward` and not
    with `torch.autograd.grad`: there the gradients are those that `backward` leaves in the leaves.

    Args:
        results: What a target computed, each with a graph.
        leaves: What the gradients are taken of.
        cotangents: One for each result, of its shape.
        retain_graph: Whether the graph is used again.

    Returns:
        A gradient for each leaf; None where nothing arrives.
    """
    import torch

    def products() -> list[Tensor]:
        # torch loads sympy when it is handed cotangents, and the slope of a product with one is that very cotangent.
        with torch.enable_grad():
            return [(result * cotangent).sum() for result, cotangent in zip(results, cotangents, strict=True)]

    def differentiate() -> tuple[Tensor | None, ...]:
        return torch.autograd.grad(products(), leaves, retain_graph=retain_graph, allow_unused=True)

    try:
        return call_target(differentiate)
    except RuntimeError:
        if not holds_reentrant_checkpoint(results):
            raise
    for leaf in leaves:
        leaf.grad = None
    call_target(lambda: torch.autograd.backward(products(), retain_graph=retain_graph))
    gradients = tuple(leaf.grad for leaf in leaves)
    for leaf in leaves:
        leaf.grad = None
    return gradients


def handwritten_functions(result: Tensor) -> tuple[str, ...]:
    """Name the classes in the graph of a result whose backward is written by hand, and not by torch.

    Args:
        result: What a target computed.
    """
    functions = (_function_of(node) for node in _nodes([result]))
    names = (found.__name__ for found in functions if found is not None and not found.__module__.startswith("torch."))
    return tuple(dict.fromkeys(names))


def holds_reentrant_checkpoint(results: Sequence[Tensor]) -> bool:
    """Say whether a checkpoint that is re-entrant lies in a graph.

    Args:
        results: What a target computed.
    """
    return any(_is_reentrant(node) for node in _nodes(results))


def _is_reentrant(node: Node) -> bool:
    """Whether a node is that of a checkpoint which is re-entrant."""
    from torch.utils.checkpoint import CheckpointFunction

    return _function_of(node) is CheckpointFunction


def _function_of(node: Node) -> type | None:
    """The class of Python whose backward a node runs; None where it is none."""
    function: type | None = vars(type(node)).get("_forward_cls")
    return function


def _nodes(results: Sequence[Tensor]) -> Iterator[Node]:
    """Yield every node of a graph once."""
    waiting = [result.grad_fn for result in results]
    known: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in known:
            continue
        known.add(node)
        yield node
        waiting += [following for following, _ in node.next_functions]
