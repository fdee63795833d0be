"""A configuration for a class that is constructed from one object: a dataclass, a namespace or a dictionary."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping

from rnn_harness.attributes import attribute, member
from rnn_harness.validation.cells.callable_facts import module_of
from rnn_harness.validation.loading.size_arguments import (
    FURTHER_SIZE,
    ends_as_size,
    is_further_size,
    size_names,
)
from rnn_harness.validation.loading.usual_values import has_usual_value, is_dropped_part, usual_value

_CONFIG_WORDS = ("config", "configs", "cfg", "conf", "args", "params", "opt", "opts", "options", "hparams", "hps", "hp")


def is_config_name(name: str) -> bool:
    """Say whether an argument of that name is a configuration.

    Args:
        name: The argument's name; case does not count.
    """
    return name.lower() in _CONFIG_WORDS or any(word in name.lower() for word in ("config", "cfg", "hparam"))


def is_configuration(value: object) -> bool:
    """Say whether an object may be a configuration: a dictionary, a dataclass or an instance of one, a namespace.

    Args:
        value: Any object.
    """
    if isinstance(value, Mapping) or dataclasses.is_dataclass(value):
        return True
    return not isinstance(value, type) and attribute(value, "__dict__", dict) is not None and not callable(value)


def configurations(maker: Callable[..., object], argument: inspect.Parameter) -> Iterator[object]:
    """List the configurations that may be meant for an argument, likely ones first.

    Args:
        maker: The class or function.
        argument: The constructor's argument, whose annotation and default may name a class.
    """
    try:
        annotation = typing.get_type_hints(
            inspect.getattr_static(maker, "__init__") if isinstance(maker, type) else maker
        ).get(argument.name)
    except Exception:  # annotations may name what does not exist
        annotation = None
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        yield annotation
    module = module_of(maker)
    of_its_name = attribute(module, argument.name, object)
    if is_configuration(of_its_name):
        yield of_its_name
    for name, value in vars(module).items():
        is_named_so = is_config_name(name) and name != argument.name
        if is_named_so and is_configuration(value) and not inspect.ismodule(value):
            yield value
    yield RecordedConfiguration()


_VOCABULARY = re.compile(r"(n_?|num_?)?(vocab(ulary)?|tokens|words|chars|labels|tags)$", re.I)
_EMBEDDING = re.compile(r"(n_?|d_?)?(emb|embed|embedding)s?$", re.I)
NO_FIELD = "the configuration has no"
"""How an error begins that says what a configuration lacks."""


class RecordedConfiguration:
    """A configuration that has the sizes and what is usual besides under every usual name, as attributes or keys.

    Args:
        n: The input size.
        d: The hidden size.
    """

    def __init__(self, n: int = 0, d: int = 0) -> None:
        self._sizes = (n, d)

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        values = size_names([name]).values(*self._sizes)
        if name in values:
            return values[name]
        if has_usual_value(name):
            return usual_value(name)
        if is_dropped_part(name):
            return 0.0
        if is_further_size(name):
            return FURTHER_SIZE
        if ends_as_size(name) or _VOCABULARY.match(name):
            return self._sizes[1]
        if _EMBEDDING.match(name):
            return self._sizes[0]
        raise AttributeError(f"{NO_FIELD} {name}")

    def __contains__(self, key: str) -> bool:
        return hasattr(self, key)

    def __getitem__(self, key: str) -> object:
        try:
            return member(self, key)
        except AttributeError as error:
            raise KeyError(str(error)) from None

    def get(self, key: str, default: object = None) -> object:
        """Return the size of that name, or the default.

        Args:
            key: The name of a size, as people name them.
            default: What a name gives that is of no size.
        """
        try:
            return self[key]
        except KeyError:
            return default


def with_sizes(configuration: object, n: int, d: int) -> object:
    """Return a copy of a configuration with other sizes.

    Args:
        configuration: A dictionary, a dataclass or an instance of one, or an object with attributes.
        n: The input size.
        d: The hidden size.
    """
    if isinstance(configuration, RecordedConfiguration):
        return RecordedConfiguration(n, d)
    if isinstance(configuration, type):
        names = [field.name for field in dataclasses.fields(configuration)]
        return configuration(**size_names(names).values(n, d))
    if isinstance(configuration, Mapping):
        return {**configuration, **size_names(list(configuration)).values(n, d)}
    if dataclasses.is_dataclass(configuration):
        names = [field.name for field in dataclasses.fields(configuration)]
        return dataclasses.replace(configuration, **size_names(names).values(n, d))  # type: ignore[type-var]
    copied = copy.copy(configuration)
    for name, size in size_names(vars(copied)).values(n, d).items():
        setattr(copied, name, size)
    return copied
