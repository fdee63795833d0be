"""Which gradient belongs to what: by names, else by difference quotients, else by the order in which they come.

Names bind: what is called ``dWf`` is the gradient of ``Wf``, and wrong if it is that of ``Wi``. What has no name, or
one that several things could have, is asked for its value, so that a shape never decides where two are equal.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rnn_harness.array_types import Array
from rnn_harness.validation.loading.adapters.handwritten.argument_names import base_name, gradient_stems, role_of
from rnn_harness.validation.loading.adapters.handwritten.axes import arrange
from rnn_harness.validation.loading.adapters.handwritten.call_trial import INPUT, PARAMETER, CallTrial
from rnn_harness.validation.loading.adapters.handwritten.gradient_entries import EntryKey, GradientEntry

_EXACT, _BY_ROLE = 2, 1


@dataclass(frozen=True)
class GradientPlaces:
    """Where the gradient of everything is.

    Attributes:
        keys: Where each gradient is, by its name: ``inputs``, ``states.0``, ``parameters.W``.
        right: The names of those that agree with the difference quotients.
        missing: What changes the results, and has no gradient.
        misshapen: What has a gradient by its name that has another shape, in words.
    """

    keys: Mapping[str, EntryKey]
    right: frozenset[str]
    missing: tuple[str, ...]
    misshapen: Mapping[str, str]

    @property
    def is_complete(self) -> bool:
        """Whether everything that changes the results has a gradient, of whatever shape."""
        return not self.missing

    @property
    def is_right(self) -> bool:
        """Whether all gradients agree with the difference quotients."""
        return self.is_complete and len(self.right) == len(self.keys) and not self.misshapen


class _Pair(NamedTuple):
    """A gradient that may be that of something.

    Attributes:
        place: The name of the gradient of that.
        entry: The gradient.
        naming: How well the gradient's name says so: `_EXACT`, `_BY_ROLE` or 0.
        right: Whether its value says so.
    """

    place: str
    entry: GradientEntry
    naming: int
    right: bool


def assign_gradients(trial: CallTrial, entries: Sequence[GradientEntry], state_names: Sequence[str]) -> GradientPlaces:
    """Assign gradients to what they belong to.

    Args:
        trial: The call that they are the gradients of.
        entries: What backward left behind.
        state_names: What forward calls its states; empty names where it does not say.
    """
    naming = _Naming(trial, state_names)
    places = [place for place in trial.values if trial.has_influence(place)]
    pairs = [
        _Pair(place, entry, naming.rank(place, entry), trial.is_gradient(place, entry.value))
        for place, entry in itertools.product(places, entries)
        if fits(trial, place, entry.value)
    ]
    chosen = _chosen(pairs)
    misshapen = _misshapen(trial, [place for place in places if place not in chosen], entries, naming)
    missing = tuple(place for place in places if place not in chosen and place not in misshapen)
    right = frozenset(place for place, pair in chosen.items() if pair.right)
    return GradientPlaces({place: pair.entry.key for place, pair in chosen.items()}, right, missing, misshapen)


def _chosen(pairs: Sequence[_Pair]) -> dict[str, _Pair]:
    """One gradient for every place, likely ones first; of equal ones that of the object itself before one of its parts.

    An object that runs one cell for each step has a gradient of its own, the sum, beside those of its cells.
    """
    pairs = sorted(pairs, key=lambda pair: 0 if pair.entry.is_returned else len(pair.entry.key.path))
    bound = {pair.place: pair.entry.key for pair in pairs if pair.naming == _EXACT}
    bound_entries = set(bound.values())

    def is_nameless(pair: _Pair) -> bool:
        return pair.place not in bound and pair.entry.key not in bound_entries

    likely: list[Callable[[_Pair], bool]] = [
        lambda pair: pair.right and pair.naming > 0,
        # A right value without a name counts, unless the name of something else stands on either of the two.
        lambda pair: pair.right and is_nameless(pair),
        lambda pair: pair.naming == _EXACT and pair.entry.is_returned,
        lambda pair: pair.naming == _BY_ROLE and pair.entry.is_returned,
        lambda pair: pair.naming == _EXACT,
        lambda pair: pair.naming == _BY_ROLE,
        lambda pair: pair.entry.is_returned and pair.entry.key not in bound_entries,
    ]
    chosen: dict[str, _Pair] = {}
    used: set[EntryKey] = set()
    for is_likely in likely:
        for pair in pairs:
            if is_likely(pair) and pair.place not in chosen and pair.entry.key not in used:
                chosen[pair.place] = pair
                used.add(pair.entry.key)
    return chosen


def fits(trial: CallTrial, place: str, value: Array) -> bool:
    """Say whether an array has the shape of what it would be the gradient of, axes of length one aside.

    Args:
        trial: The call, which knows the shape of whatever went in.
        place: The input, a state, or a parameter.
        value: An array that backward gave or left somewhere.
    """
    return [size for size in value.shape if size > 1] == [size for size in _laid_out_shape(trial, place) if size > 1]


def _laid_out_shape(trial: CallTrial, place: str) -> tuple[int, ...]:
    """The shape of what goes in, as it goes in."""
    value, way = trial.values[place], trial.way
    if place == INPUT:
        return arrange(value, way.input_axes).shape
    return value.shape if place.startswith(PARAMETER) else arrange(value, way.state_axes).shape


def _misshapen(
    trial: CallTrial, places: Sequence[str], entries: Sequence[GradientEntry], naming: _Naming
) -> dict[str, str]:
    """Parameters whose gradient, by its name, has another shape."""
    misshapen = {}
    for place in places:
        named = [entry for entry in entries if place.startswith(PARAMETER) and naming.rank(place, entry) == _EXACT]
        if named:
            shape, wanted = named[0].value.shape, trial.values[place].shape
            name = place.removeprefix(PARAMETER)
            misshapen[place] = f"the gradient of {name} has shape {shape}, {name} has {wanted}"
    return misshapen


class _Naming:
    """Says how well names fit."""

    def __init__(self, trial: CallTrial, state_names: Sequence[str]) -> None:
        self.state_names = state_names
        self.parameters = [name.removeprefix(PARAMETER) for name in trial.values if name.startswith(PARAMETER)]
        lasts = [name.rpartition("/")[2] for name in self.parameters]
        self.shared = {last for last in lasts if lasts.count(last) > 1}

    def rank(self, place: str, entry: GradientEntry) -> int:
        """Say how well a gradient's name says that it belongs to something."""
        if place.startswith(PARAMETER):
            return _EXACT if self._names_parameter(place.removeprefix(PARAMETER), entry) else 0
        stems = gradient_stems(entry.name)
        stems = stems if entry.in_container else stems[:-1]
        if not entry.name or any(self._is_parameter(stem) for stem in stems):
            return 0
        if place == INPUT:
            return _BY_ROLE if any(role_of(stem) == "x" for stem in stems) else 0
        number = int(place.rpartition(".")[2])
        name = self.state_names[number] if number < len(self.state_names) else ""
        role = role_of(name) if name else ("h", "c")[number]
        return _BY_ROLE if any(base_name(stem) and role_of(stem) == role for stem in stems) else 0

    def _is_parameter(self, stem: str) -> bool:
        return any(_plain(stem) == _plain(name.rpartition("/")[2]) for name in self.parameters)

    def _names_parameter(self, name: str, entry: GradientEntry) -> bool:
        """Whether a gradient has the name of a parameter, or its number in a list of gradients."""
        holder, _, last = name.rpartition("/")
        parts = entry.key.path
        if entry.name.isdigit() and entry.in_container:
            if last.isdigit():
                return last == entry.name
            return len(parts) == 2 and int(entry.name) == self.parameters.index(name)
        stems = gradient_stems(entry.name) if entry.in_container else gradient_stems(entry.name)[:-1]
        if not entry.name or not any(_plain(stem) == _plain(last) for stem in stems):
            return False
        if last not in self.shared:
            return not any(stem != last and stem in self.parameters for stem in stems[:1])
        beside = parts[:-2] == tuple(holder.split("/")[:-1]) and entry.in_container  # a/g/W beside a/p/W
        return bool(holder) and ("/".join(parts[:-1]).startswith(holder) or beside)


def _plain(name: str) -> str:
    """A name without underscores."""
    return name.replace("_", "")
