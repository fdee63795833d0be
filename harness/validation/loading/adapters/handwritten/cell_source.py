"""A cell written by hand as a source of calls: each has fresh parameters, and changes nothing of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import member, method_if_any
from rnn_harness.options import Options
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.loading.adapters.handwritten.data_arguments import FilledArgument
from rnn_harness.validation.loading.adapters.handwritten.further_inputs import FilledInputs
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import (
    arrays_of_every_name,
    copy_with_arrays,
    stored_arrays,
)


class Methods(NamedTuple):
    """The names of an object's methods.

    Attributes:
        forward: The forward method.
        backward: The backward method; empty if there is none.
    """

    forward: str
    backward: str


class FreshCall(Protocol):
    """A cell with given parameters on which forward, then backward, is called once.

    Attributes:
        forward: Called with the inputs and states.
        backward: Called with gradients; None if there is none.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None

    def arrays(self) -> dict[str, Array]:
        """Return the arrays that it keeps, by their paths; empty for functions."""

    def set_states(self, attributes: Sequence[str], states: Sequence[Array]) -> None:
        """Give it its states: by its method ``set_state`` where there are no attributes, else as attributes.

        Args:
            attributes: The attributes that hold the states; empty for a method ``set_state`` that takes them in order.
            states: The states, in the shapes in which the cell keeps them.
        """

    def states(self, attributes: Sequence[str]) -> list[Any]:
        """Return its states: what stands in those attributes.

        Args:
            attributes: The attributes that hold the states, in order.
        """


class CellSource(Protocol):
    """A cell written by hand.

    Attributes:
        name: What messages call it: its forward function with the arguments.
        backward_name: What messages call its backward; empty if there is none.
        parameters: The initial values of its parameters, by name.
        keywords: Whether arguments are handed over by name.
    """

    name: str
    backward_name: str
    parameters: dict[str, Array]
    keywords: bool

    @property
    def forward_function(self) -> Callable[..., Any]:
        """Its forward, to read the signature of."""

    @property
    def backward_function(self) -> Callable[..., Any] | None:
        """Its backward, to read the signature and the names in its return statement of."""

    @property
    def holder(self) -> object:
        """The object that keeps its states; None for functions."""

    def fresh(self, parameters: Mapping[str, Array]) -> FreshCall:
        """Make a cell with these parameters that nothing was called on.

        Args:
            parameters: All parameters by name; they are not changed, and of one format, which the cell's other arrays
                get too.
        """

    def tree_of(self, parameters: Mapping[str, Array]) -> object:
        """Return the parameters as its forward or its constructor takes them.

        Args:
            parameters: All parameters by name; they are copied.
        """


class ObjectCall:
    """An object on which a forward and a backward method are called once.

    Args:
        cell: The object; forward and backward may change it.
        method: The name of its forward method.
        backward: The name of its backward method; empty if there is none.
        filled: The argument of forward that says which steps are padding, filled so that none is; None without one.
    """

    def __init__(
        self, cell: Any, method: str, backward: str, filled: FilledArgument | FilledInputs | None = None
    ) -> None:
        self.cell = cell
        forward = member(cell, method)
        self.forward = forward if filled is None else filled.without(forward)
        self.backward = method_if_any(cell, backward)

    def arrays(self) -> dict[str, Array]:
        """Return the arrays that it keeps, under every name."""
        return arrays_of_every_name(self.cell)

    def set_states(self, attributes: Sequence[str], states: Sequence[Array]) -> None:
        """Give it its states."""
        if not attributes:
            self.cell.set_state(*states)
        for name, state in zip(attributes, states, strict=False):
            setattr(self.cell, name, state)

    def states(self, attributes: Sequence[str]) -> list[Any]:
        """Return what stands in those attributes."""
        return [member(self.cell, name) for name in attributes]


class ObjectSource:
    """An object that keeps its parameters in arrays.

    Attributes:
        cell: The object; every call is made on a copy of it.
    """

    keywords = False

    def __init__(
        self,
        cell: object,
        methods: Methods,
        paths: Mapping[str, Array],
        filled: FilledArgument | FilledInputs | None = None,
    ) -> None:
        """Make the source.

        Args:
            cell: The object.
            methods: The names of its methods.
            paths: Its parameters, by their paths.
            filled: As in `ObjectCall`.
        """
        self.cell, self.methods, self._stored = cell, methods, stored_arrays(cell)
        self.filled = filled
        self.name, self.backward_name = f"{type(cell).__name__}.{methods.forward}", methods.backward
        self.parameters = dict(paths)

    @property
    def forward_function(self) -> Callable[..., Any]:
        """Its forward method, bound."""
        bound: Callable[..., Any] = member(self.cell, self.methods.forward)
        return bound if self.filled is None else self.filled.without(bound)

    @property
    def backward_function(self) -> Callable[..., Any] | None:
        """Its backward method, bound."""
        return method_if_any(self.cell, self.backward_name)

    @property
    def holder(self) -> object:
        """The object."""
        return self.cell

    def fresh(self, parameters: Mapping[str, Array]) -> ObjectCall:
        """Return a copy of the object whose arrays of floats all have the format of the parameters."""
        dtype = _format_of(parameters)
        arrays = {}
        for path, value in self._stored.items():
            replaced = parameters.get(path, value)
            arrays[id(value)] = replaced.astype(dtype) if value.dtype.kind == "f" else value.copy()
        return ObjectCall(copy_with_arrays(self.cell, arrays), *self.methods, self.filled)

    def tree_of(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Return copies of the parameters, by name."""
        return {name: value.copy() for name, value in parameters.items()}


class WeightsSource:
    """A class that is made from its weights, ``LSTM(Wx, Wh, b)``: every call is made on a new object.

    Attributes:
        maker: The class.
        options: Its further arguments.
    """

    keywords = False

    def __init__(
        self, maker: Callable[..., Any], weights: Mapping[str, Array], options: Options, methods: Methods
    ) -> None:
        """Make the source.

        Args:
            maker: The class.
            weights: Its weights, by the names of its arguments.
            options: Its further arguments.
            methods: The names of its methods.
        """
        self.maker, self.options, self.methods = maker, options, methods
        self.name, self.backward_name = f"{maker.__name__}.{methods.forward}", methods.backward
        self.parameters = dict(weights)

    @property
    def forward_function(self) -> Callable[..., Any]:
        """Its forward method, bound to a new object."""
        bound: Callable[..., Any] = self.fresh(self.parameters).forward
        return bound

    @property
    def backward_function(self) -> Callable[..., Any] | None:
        """Its backward method, bound to a new object."""
        return self.fresh(self.parameters).backward

    @property
    def holder(self) -> object:
        """A new object."""
        return self.fresh(self.parameters).cell

    def fresh(self, parameters: Mapping[str, Array]) -> ObjectCall:
        """Return a new object made from these weights."""
        dtype = _format_of(parameters)
        weights = {name: np.array(value) for name, value in parameters.items()}
        cell = call_target(self.maker, **weights, **self.options)
        arrays = {id(value): value.astype(dtype) for value in stored_arrays(cell).values() if value.dtype.kind == "f"}
        unlike = any(value.dtype.kind == "f" and value.dtype != dtype for value in stored_arrays(cell).values())
        return ObjectCall(copy_with_arrays(cell, arrays) if unlike else cell, *self.methods)

    def tree_of(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Return copies of the parameters, by name."""
        return {name: value.copy() for name, value in parameters.items()}


def _format_of(parameters: Mapping[str, Array]) -> np.dtype[Any]:
    """The format of the parameters; float64 where there are none."""
    return next((value.dtype for value in parameters.values()), np.dtype("float64"))
