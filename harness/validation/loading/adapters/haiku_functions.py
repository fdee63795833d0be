"""Plain functions that ask Haiku for their parameters, which are none before `hk.transform` is told of them."""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rnn_harness.attributes import attribute
from rnn_harness.validation.cells.callable_facts import code_names
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.adapter import import_library
from rnn_harness.validation.loading.adapters.handwritten.argument_names import all_arguments, role_of
from rnn_harness.validation.loading.adapters.init_and_apply import sizes_of_pair, takes_states
from rnn_harness.validation.loading.adapters.numpy_functions import functions_of_module, names_library
from rnn_harness.validation.loading.size_arguments import size_names

_TRANSFORMS = frozenset(("transform", "transform_with_state", "multi_transform", "multi_transform_with_state"))
_MOST_READINGS = 6
_TWO_SIZES = (3, 4)


@dataclass(frozen=True)
class HaikuFunction:
    """A function that Haiku transforms, and the arguments of it that are no data.

    Attributes:
        function: The function, of an input, states and sizes.
        sizes_by_name: Which of its arguments are sizes: ``n`` or ``d``, by the argument's name.
    """

    function: Callable[..., Any]
    sizes_by_name: dict[str, str]

    def transformed(self, sizes: CellSizes) -> Any:
        """Return the pair that `hk.transform` makes of it.

        Args:
            sizes: What its sizes are.
        """
        values = {
            name: sizes.input_size if size == "n" else sizes.hidden_size for name, size in self.sizes_by_name.items()
        }

        def of_data(*arguments: Any, **named: Any) -> Any:
            return self.function(**shown.bind(*arguments, **named).arguments, **values)

        required = [value for value in all_arguments(self.function) if value.default is value.empty]
        shown = inspect.Signature([value for value in required if value.name not in values])
        of_data.__signature__ = shown  # type: ignore[attr-defined]  # read by inspect.signature
        of_data.__module__ = attribute(self.function, "__module__", str) or __name__
        return import_library("haiku", "haiku").transform(of_data)

    def own_sizes(self) -> CellSizes | None:
        """Return the only sizes that it has; None where it takes any, or none that is tried."""
        if set(self.sizes_by_name.values()) & {"d"} or self._takes_any_state():
            return None
        return sizes_of_pair(self.transformed(CellSizes(*_TWO_SIZES)))

    def _takes_any_state(self) -> bool:
        """Whether states of several widths go in: then it reads its hidden size off its state."""
        pair = self.transformed(CellSizes(*_TWO_SIZES))
        return all(takes_states(pair, d) for d in _TWO_SIZES)


def haiku_function(function: Any) -> HaikuFunction | None:
    """Return a function that makes parameters of Haiku, and which of its arguments are sizes; None of any other.

    Args:
        function: What the user named.
    """
    if "haiku" not in sys.modules or not inspect.isfunction(function) or not _asks_haiku(function):
        return None
    if not any(role_of(argument.name) == "x" for argument in all_arguments(function)):
        return None  # what makes a module, of sizes alone
    readings = list(itertools.islice(_readings(function), _MOST_READINGS))
    d = _TWO_SIZES[0]
    fitting = (reading for reading in readings if takes_states(reading.transformed(CellSizes(5, d)), d))
    return next(fitting, readings[0])


def _asks_haiku(function: Callable[..., Any]) -> bool:
    """Whether a function, or one of its module's that it calls, names Haiku, and none of them transforms anything."""
    called = functions_of_module(function)
    return names_library(function, "haiku") and not any(_TRANSFORMS & {*code_names(each)} for each in called)


def _readings(function: Callable[..., Any]) -> Iterator[HaikuFunction]:
    """The ways to tell sizes from data: what is declared to be a whole number first, then what is called as sizes are.

    A name such as ``hidden`` may be that of a state, or of its width.
    """
    arguments = all_arguments(function)
    names = [argument.name for argument in arguments if role_of(argument.name) != "x"]
    declared = [value.name for value in arguments if value.annotation in (int, "int") or type(value.default) is int]
    possible = size_names(names)
    likely = [name for name in (*possible.hidden, *possible.inputs) if name not in declared]
    required = {argument.name for argument in arguments if argument.default is argument.empty}
    chosen = [name for name in declared if name in required or name in possible.hidden]
    for count in range(len(likely) + 1):
        for further in itertools.combinations([name for name in likely if name in required], count):
            sizes = (*chosen, *further)
            yield HaikuFunction(function, {name: "n" if name in possible.inputs else "d" for name in sizes})
