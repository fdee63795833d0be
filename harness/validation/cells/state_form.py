"""How the states of a target go in: as they are, in a tuple, list or dictionary, as fields, stacked or joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal

from rnn_harness.attributes import field_values
from rnn_harness.validation.cells.callable_facts import tuple_fields

if TYPE_CHECKING:
    from torch import Tensor

Container = Literal["tensor", "tuple", "list", "mapping", "fields"]
Merging = Literal["", "stacked", "joined"]


@dataclass(frozen=True)
class StateForm:
    """The structure of the argument that holds the states.

    Attributes:
        container: What holds the states: nothing (``tensor``), a tuple or list, a mapping with `keys`, or an object
            whose fields are named `keys`.
        keys: The keys of a mapping, or the names of the fields, in the order of the states.
        merging: Whether two states are one tensor: ``stacked`` (2, B, d) or ``joined`` (B, 2 d).
        depth: How many further lists of length one hold it.
        constructor: Makes an object with fields from keyword arguments; None for a namespace.
        constructor_name: What to call it in programs.
    """

    container: Container = "tensor"
    keys: tuple[str, ...] = ()
    merging: Merging = ""
    depth: int = 0
    constructor: Callable[..., object] | None = None
    constructor_name: str = "SimpleNamespace"

    def pack(self, states: Sequence[Tensor]) -> object:
        """Put states together as the target takes them.

        Args:
            states: The states, each of the shape in which the target takes it.
        """
        import torch

        tensors = list(states)
        if self.merging == "stacked":
            tensors = [torch.stack(tensors)]
        elif self.merging == "joined":
            tensors = [torch.cat(tensors, -1)]
        packed: object = tensors[0]
        match self.container:
            case "tuple":
                packed = tuple(tensors)
            case "list":
                packed = tensors
            case "mapping":
                packed = dict(zip(self.keys, tensors, strict=True))
            case "fields":
                packed = (self.constructor or SimpleNamespace)(**dict(zip(self.keys, tensors, strict=True)))
        for _ in range(self.depth):
            packed = [packed]
        return packed

    def expression(self, states: Sequence[str], library: str = "torch") -> str:
        """Write `pack` as an expression of Python.

        Args:
            states: The expressions of the states.
            library: The module whose functions put tensors together.
        """
        texts = list(states)
        if self.merging == "stacked":
            texts = [f"{library}.stack([{', '.join(texts)}])"]
        elif self.merging == "joined":
            texts = [f"{library}.cat([{', '.join(texts)}], -1)"]
        match self.container:
            case "tuple":
                text = f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
            case "list":
                text = f"[{', '.join(texts)}]"
            case "mapping":
                pairs = (f"{key!r}: {state}" for key, state in zip(self.keys, texts, strict=True))
                text = f"{{{', '.join(pairs)}}}"
            case "fields":
                fields = (f"{key}={state}" for key, state in zip(self.keys, texts, strict=True))
                text = f"{self.constructor_name}({', '.join(fields)})"
            case _:
                text = texts[0]
        return "[" * self.depth + text + "]" * self.depth

    def wording(self, states: int) -> str:
        """Say how that many states go in.

        Args:
            states: The number of states: 0, 1 or 2.
        """
        count = ("no state", "one state", "two states")[states]
        merged = {"": "", "stacked": " as one tensor (2, B, d)", "joined": " as one tensor (B, 2 d)"}[self.merging]
        if self.container in ("tuple", "list"):
            held = (
                ""
                if self.merging and self.container == "tuple"
                else f" {'as' if states == 2 else 'in'} a {self.container}"
            )
            return f"{count}{merged}{held}" if self.merging else f"{count}{held}"
        if self.container == "mapping":
            return f"{count}{merged} in a dictionary ({', '.join(self.keys)})"
        if self.container == "fields":
            return f"{count}{merged} as fields ({', '.join(self.keys)})"
        return f"{count}{merged}"


SEPARATE = StateForm()
"""Every state is an argument of its own, or the only one is a tensor."""


@dataclass(frozen=True)
class Leaf:
    """A tensor in what a target gives back.

    Attributes:
        path: The indices and keys that lead to it.
        tensor: The tensor itself, as the target gave it.
    """

    path: tuple[int | str, ...]
    tensor: Tensor


def result_leaves(result: object, path: tuple[int | str, ...] = ()) -> Iterator[Leaf]:
    """List the tensors of what a target gives back, in order; whatever else it gives (a cache) is left out.

    Args:
        result: A tensor, or a tuple, list, mapping, dataclass or packed sequence of such.
        path: The path to the result.
    """
    import dataclasses
    from collections.abc import Mapping

    import torch
    from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

    if isinstance(result, torch.Tensor):
        yield Leaf(path, result)
    elif isinstance(result, PackedSequence):
        yield Leaf(path, pad_packed_sequence(result)[0])
    elif isinstance(result, Mapping):
        for key, part in result.items():
            yield from result_leaves(part, (*path, str(key)))
    elif isinstance(result, tuple | list):
        names = tuple_fields(result)
        for index, part in enumerate(result):
            yield from result_leaves(part, (*path, names[index] if names else index))
    elif dataclasses.is_dataclass(result) and not isinstance(result, type):
        for name, part in field_values(result).items():
            yield from result_leaves(part, (*path, name))
    elif isinstance(result, SimpleNamespace):
        for name, part in vars(result).items():
            yield from result_leaves(part, (*path, name))
