"""How models of JAX's libraries are called, by the names of their arguments: a sequence, and what comes besides it."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rnn_harness.options import Options
from rnn_harness.validation.cells.call_argument import role_of_extra
from rnn_harness.validation.loading.adapters.adapter import FurtherInput, FurtherRole, ModelInputs
from rnn_harness.validation.loading.adapters.handwritten.argument_names import all_arguments, role_of

TRIAL_VOCABULARY = 8
"""The number of tokens that is tried before a model is made and says how many it takes."""
_SWITCHES = {
    "train": False,
    "training": False,
    "is_training": False,
    "deterministic": True,
    "inference": True,
    "eval": True,
}
"""What says whether a model is trained or evaluated, and its value for an evaluation."""
_KEYS = frozenset(("key", "rng", "rngs", "prng_key"))


@dataclass(frozen=True)
class ModelCall:
    """One way of calling a model.

    Attributes:
        inputs: Its sequence, and what comes besides it.
        fixed: Arguments by name that are the same in every call.
    """

    inputs: ModelInputs
    fixed: Options

    def examples(self, jax: Any, rows: int, steps: int) -> tuple[Any, ...]:
        """Make arguments with zeros, of full lengths and without a mask.

        Args:
            jax: The library.
            rows: B.
            steps: T.
        """
        numpy, inputs = jax.numpy, self.inputs

        def sequence(features: int, vocabulary: int) -> Any:
            return numpy.zeros((rows, steps), "int32") if vocabulary else numpy.zeros((rows, steps, features))

        def further(known: FurtherInput) -> Any:
            if known.role == "lengths":
                return numpy.full((rows,), steps, "int32")
            if known.role == "sequence":
                return sequence(known.features, known.vocabulary)
            return numpy.full((rows, steps), known.role == "mask")

        return (sequence(inputs.features, inputs.vocabulary), *map(further, inputs.further))

    def keywords(self, values: tuple[Any, ...]) -> Options:
        """Return the arguments that are given by name.

        Args:
            values: The arguments after the sequence, in their order.
        """
        named = {known.name: value for known, value in zip(self.inputs.further, values, strict=True)}
        return {**self.fixed, **named}


def model_calls(jax: Any, call: Callable[..., Any], n: int) -> Iterator[ModelCall]:
    """Yield the ways in which a model may be called: with numbers or tokens; lengths and masks are given if taken.

    Args:
        jax: The library.
        call: The method that is called, bound to nothing: its first argument is the model, its second the sequence.
        n: The input size of a sequence of numbers.
    """
    arguments = all_arguments(call)[1:]
    if not arguments or any(role_of(argument.name) in ("h", "c") for argument in arguments if _is_required(argument)):
        return
    required = [argument for argument in arguments[1:] if _is_required(argument)]
    choices = [required]
    if any(_role(argument) for argument in arguments[1:] if not _is_required(argument)):
        choices.insert(0, [argument for argument in arguments[1:] if _is_required(argument) or _role(argument)])
    for vocabulary, others in itertools.product((0, TRIAL_VOCABULARY), choices):
        features = 0 if vocabulary else n
        fixed: Options = {a.name: _SWITCHES[a.name] for a in others if a.name in _SWITCHES}
        keys: Options = {a.name: jax.random.PRNGKey(0) for a in others if a.name in _KEYS}
        further = tuple(
            FurtherInput(argument.name, role)
            if (role := _role(argument)) is not None
            else FurtherInput(argument.name, "sequence", features, vocabulary)
            for argument in others
            if argument.name not in (*_SWITCHES, *_KEYS)
        )
        yield ModelCall(ModelInputs(features, vocabulary, further=further), {**fixed, **keys})


def _role(argument: inspect.Parameter) -> FurtherRole | None:
    """Whether an argument is lengths or a mask, by its name."""
    role = role_of_extra(argument.name)
    return role if role in ("lengths", "mask", "padding mask") else None


def _is_required(argument: inspect.Parameter) -> bool:
    """Whether an argument has no default."""
    return argument.default is argument.empty
