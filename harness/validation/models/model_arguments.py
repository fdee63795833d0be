"""The arguments of one call of a model, and the same with some of their numbers changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from rnn_harness.options import Keywords

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Role = Literal["sequence", "lengths", "mask", "state", "further"]
"""What an argument is: the first sequence (numbers or tokens), the lengths of its rows, a mask, a state, or other."""


@dataclass(frozen=True)
class ModelArgument:
    """One argument.

    Attributes:
        name: Its name in the signature.
        role: What it is.
        value: A tensor, or tensors in lists, tuples and dictionaries.
        by_keyword: Whether it is given by its name.
        order: The axes of a tensor in the order in which the model takes them; empty where that is theirs.
    """

    name: str
    role: Role
    value: Any
    by_keyword: bool = False
    order: tuple[int, ...] = ()

    @property
    def passed(self) -> Any:
        """The value as the model takes it."""
        return self.value.permute(self.order).contiguous() if self.order else self.value


@dataclass(frozen=True)
class ModelArguments:
    """The arguments of one call.

    Attributes:
        arguments: All of them, in their order.
        grid: The axes of the sequence that are no features: steps and rows in an order that is not known, or one.
        vocabulary: The number of tokens; 0 where the sequence is one of numbers.
    """

    arguments: tuple[ModelArgument, ...]
    grid: tuple[int, ...]
    vocabulary: int = 0

    @property
    def sequence(self) -> Tensor:
        """The sequence."""
        tensor: Tensor = self.of_role("sequence")[0].value
        return tensor

    @property
    def positional(self) -> tuple[Any, ...]:
        """The values that are given by position."""
        return tuple(argument.passed for argument in self.arguments if not argument.by_keyword)

    @property
    def keywords(self) -> Keywords:
        """The values that are given by name."""
        return {argument.name: argument.passed for argument in self.arguments if argument.by_keyword}

    def axis_word(self, axis: int) -> str:
        """Say which axis of the sequence that the model takes one axis of the grid is.

        Args:
            axis: A place in the grid.
        """
        order = self.of_role("sequence")[0].order
        place = order.index(self.grid[axis]) if order else self.grid[axis]
        return ("first", "second", "third", "fourth", "fifth")[place]

    def of_role(self, role: Role) -> tuple[ModelArgument, ...]:
        """Return the arguments of a role, in the order of the call.

        Args:
            role: What they are to the model: the sequence, a state, lengths, a mask, or something else.
        """
        return tuple(argument for argument in self.arguments if argument.role == role)

    def with_value(self, name: str, value: Any) -> ModelArguments:
        """Return the same with another value of one argument.

        Args:
            name: The argument; a name that is not there changes nothing.
            value: Its new value.
        """
        arguments = (replace(a, value=value) if a.name == name else a for a in self.arguments)
        return replace(self, arguments=tuple(arguments))

    def with_sequence(self, sequence: Tensor) -> ModelArguments:
        """Return the same with another sequence.

        Args:
            sequence: Tokens or numbers in the place of the sequence, usually of its shape.
        """
        return self.with_value(self.of_role("sequence")[0].name, sequence)

    def with_argument(self, argument: ModelArgument) -> ModelArguments:
        """Return the same with one argument more, or another in the place of the one of its name.

        Args:
            argument: The argument; it comes last.
        """
        remaining = (known for known in self.arguments if known.name != argument.name)
        return replace(self, arguments=(*remaining, argument))

    def moved(self, place: tuple[int, ...]) -> ModelArguments:
        """Return the same with another token, or other numbers, at one place of the grid.

        Args:
            place: An index along each axis of the grid; whatever stands there, a token or all features, is changed.
        """
        sequence = self.sequence.clone()
        before = sequence[place]
        sequence[place] = other_token(before, self.vocabulary) if self.vocabulary else before + uneven(before)
        return self.with_sequence(sequence)

    def copied(self) -> ModelArguments:
        """Copy every tensor, since a model may write into its arguments."""
        arguments = (replace(a, value=map_tensors(lambda t: t.detach().clone(), a.value)) for a in self.arguments)
        return replace(self, arguments=tuple(arguments))

    def to(self, dtype: torch.dtype) -> ModelArguments:
        """Return the same with all numbers in one format.

        Args:
            dtype: The format; tokens, lengths and masks stay integers and booleans.
        """

        def convert(tensor: Tensor) -> Tensor:
            return tensor.to(dtype) if tensor.is_floating_point() else tensor

        return replace(self, arguments=tuple(replace(a, value=map_tensors(convert, a.value)) for a in self.arguments))


def uneven(template: Tensor) -> Tensor:
    """Return numbers of usual size that are not all alike, since a normalisation takes away what is.

    Args:
        template: A tensor of real numbers, which gives shape and format.
    """
    import torch

    return 1 + torch.sin(torch.arange(template.numel(), dtype=template.dtype)).reshape(template.shape) / 2


def numbers_between(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Return generic numbers between 0 and 1: whatever they switch is neither on nor off everywhere.

    Args:
        shape: Any shape.
        dtype: Their format.
    """
    import torch

    generator = torch.Generator().manual_seed(9)
    return (0.1 + 0.8 * torch.rand(shape, generator=generator, dtype=torch.float64)).to(dtype)


def other_token(token: Tensor, vocabulary: int) -> Tensor:
    """Return another token for each token; never 0, which is padding in most vocabularies.

    Args:
        token: Integers of any shape, from 0 to below `vocabulary`.
        vocabulary: The number of tokens, at least 3: with 2 there is no other one but 0.
    """
    return token % (vocabulary - 1) + 1


def map_tensors(function: Callable[[Tensor], Tensor], value: Any) -> Any:
    """Apply a function to every tensor in lists, tuples and dictionaries.

    Args:
        function: What each tensor is replaced by.
        value: A tensor, a packed sequence, or lists, tuples and dictionaries of such, to any depth.

    Returns:
        The same structure; what is no tensor in it stays. Dataclasses are not entered.
    """
    import torch

    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return value._replace(data=function(value.data))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(map_tensors(function, part) for part in value))
    if isinstance(value, tuple | list):
        return type(value)(map_tensors(function, part) for part in value)
    if isinstance(value, Mapping):
        return {key: map_tensors(function, part) for key, part in value.items()}
    return value


def named_tensors(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in lists, tuples, dictionaries and dataclasses, each with its place.

    Args:
        value: A tensor, a packed sequence, or lists, tuples, dictionaries and dataclasses of such, to any depth.
        name: The place of the value itself, which stands before that of its parts.
    """
    import torch

    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, torch.nn.utils.rnn.PackedSequence):
        yield f"{name}.data", value.data
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from named_tensors(part, f"{name}[{key!r}]")
    elif isinstance(value, tuple | list):
        for index, part in enumerate(value):
            yield from named_tensors(part, f"{name}[{index}]")
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from named_tensors(vars(value)[field.name], f"{name}.{field.name}")
