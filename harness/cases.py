"""Cases: sizes, a seed, a scale and special positions, from which every number of a run is drawn again.

Dimension legend: T time steps, B batch rows, n input size, d hidden size, k output size, L layers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Array = NDArray[Any]

Special = Literal["zeros in x", "equal rows", "large x", "saturated unit", "zero state row"]
SPECIALS: tuple[Special, ...] = (
    "zeros in x",
    "equal rows",
    "large x",
    "saturated unit",
    "zero state row",
)
LARGE = 12.0  # far beyond 8, where float32 sigmoids and tanh have stopped moving


class Case(BaseModel):
    """All that is needed to draw a run's numbers again; see `draw`.

    `sizes`: n, d, k, T, B, L. `lengths`: one per row, None for full length. `grain`: every value is a multiple
    of 2^-grain, so that sums and halves of values are exact. `explicit`: values that replace the drawn ones, by
    ``parameters.NAME``, ``inputs``, ``states.NAME``, ``d_outputs``, ``d_finals.NAME`` (a shrunk case).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: str
    sizes: dict[str, int]
    dtype: Literal["float64", "float32"] = "float64"
    seed: int = Field(default=0, ge=0)
    scale: float = Field(default=1.0, gt=0)
    specials: tuple[Special, ...] = ()
    lengths: tuple[int, ...] | None = None
    grain: int | None = None
    explicit: dict[str, Any] | None = None

    @property
    def steps(self) -> int:
        return self.sizes["T"]

    @property
    def batch(self) -> int:
        return self.sizes["B"]

    def __str__(self) -> str:
        sizes = ", ".join(f"{name}={value}" for name, value in self.sizes.items())
        parts = [sizes, self.dtype, f"seed {self.seed}", f"scale {self.scale:g}", *self.specials]
        if self.lengths is not None:
            parts.append(f"lengths {list(self.lengths)}")
        return "; ".join(parts)


@dataclass(frozen=True)
class Layout:
    """Which arrays a subject takes: shapes by the reference's names, for one choice of sizes."""

    parameters: dict[str, tuple[int, ...]]
    inputs: int
    states: dict[str, int]
    outputs: int


@dataclass(frozen=True)
class Drawn:
    """The numbers of a case, all of its dtype; every one is exactly what the oracle is given.

    `inputs` (T, B, n); `states` (B, d) by name; `d_outputs` (T, B, .) and `d_finals` (B, d): output gradients.
    """

    parameters: dict[str, Array]
    inputs: Array
    states: dict[str, Array]
    d_outputs: Array
    d_finals: dict[str, Array]
    lengths: NDArray[np.intp] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.inputs.dtype

    def changed(self, **fields: Any) -> Drawn:
        """The same numbers but for the given fields."""
        return replace(self, **fields)

    def as_type(self, dtype: str) -> Drawn:
        """The same numbers rounded to another dtype."""
        return mapped(self, lambda _, value: value.astype(dtype))

    def flat(self) -> dict[str, Array]:
        """Every array under the name that `Case.explicit` uses."""
        found = {f"parameters.{name}": value for name, value in self.parameters.items()}
        found["inputs"] = self.inputs
        found |= {f"states.{name}": value for name, value in self.states.items()}
        found["d_outputs"] = self.d_outputs
        return found | {f"d_finals.{name}": value for name, value in self.d_finals.items()}


def mapped(drawn: Drawn, change: Callable[[str, Array], Array]) -> Drawn:
    """Every array replaced by ``change(name, array)``, names as in `Drawn.flat`."""

    def group(prefix: str, values: Mapping[str, Array]) -> dict[str, Array]:
        return {name: change(f"{prefix}.{name}", value) for name, value in values.items()}

    return Drawn(
        group("parameters", drawn.parameters),
        change("inputs", drawn.inputs),
        group("states", drawn.states),
        change("d_outputs", drawn.d_outputs),
        group("d_finals", drawn.d_finals),
        drawn.lengths,
    )


@dataclass
class _Source:
    """Numbers by name: each array has a stream of its own, so that changing one size leaves the others alone."""

    case: Case
    streams: dict[str, np.random.Generator] = field(default_factory=dict)

    def stream(self, name: str) -> np.random.Generator:
        if name not in self.streams:
            key = [self.case.seed, zlib.crc32(name.encode())]
            self.streams[name] = np.random.Generator(np.random.PCG64(key))
        return self.streams[name]

    def normal(self, name: str, shape: tuple[int, ...], spread: float = 1.0) -> Array:
        return self.finish(self.stream(name).standard_normal(shape) * spread)

    def uniform(self, name: str, shape: tuple[int, ...]) -> Array:
        return self.finish(self.stream(name).uniform(-1, 1, shape))

    def finish(self, values: Array) -> Array:
        if self.case.grain is not None:
            values = np.round(values * 2.0**self.case.grain) / 2.0**self.case.grain
        return np.ascontiguousarray(values, dtype=self.case.dtype)


def draw(case: Case, layout: Layout) -> Drawn:
    """The numbers of `case`. Raises ValueError when an explicit value does not fit its place."""
    source = _Source(case)
    steps, batch = case.steps, case.batch
    drawn = Drawn(
        {name: _parameter(source, name, shape) for name, shape in layout.parameters.items()},
        source.normal("inputs", (steps, batch, layout.inputs)),
        {name: source.uniform(f"state {name}", (batch, d)) for name, d in layout.states.items()},
        source.normal("d_outputs", (steps, batch, layout.outputs)),
        {name: source.normal(f"d_final {name}", (batch, d)) for name, d in layout.states.items()},
        None if case.lengths is None else np.asarray(case.lengths, dtype=np.intp),
    )
    for special in case.specials:
        _PLACE[special](drawn, source.stream(special))
    return drawn if case.explicit is None else _overridden(drawn, case.explicit)


def _parameter(source: _Source, name: str, shape: tuple[int, ...]) -> Array:
    """Weights are spread so that a pre-activation is of the order of the scale, whatever the size."""
    columns = shape[1] if len(shape) == 2 else 1
    return source.normal(name, shape, source.case.scale / max(columns, 1) ** 0.5)


def _overridden(drawn: Drawn, explicit: Mapping[str, Any]) -> Drawn:
    known = drawn.flat()
    unknown = sorted(set(explicit) - set(known))
    if unknown:
        raise ValueError(f"explicit values for {', '.join(unknown)}; expected some of {', '.join(known)}")

    def change(name: str, value: Array) -> Array:
        if name not in explicit:
            return value
        found = np.asarray(explicit[name], dtype=value.dtype).reshape(value.shape)
        return np.ascontiguousarray(found)

    return mapped(drawn, change)


def _zeros_in_x(drawn: Drawn, stream: np.random.Generator) -> None:
    if drawn.inputs.size:
        drawn.inputs[stream.random(drawn.inputs.shape) < 0.5] = 0


def _equal_rows(drawn: Drawn, _: np.random.Generator) -> None:
    if drawn.inputs.shape[1] > 1:
        drawn.inputs[:, 1] = drawn.inputs[:, 0]
        for value in drawn.states.values():
            value[1] = value[0]


def _large_x(drawn: Drawn, stream: np.random.Generator) -> None:
    if drawn.inputs.size:
        place = tuple(stream.integers(size) for size in drawn.inputs.shape)
        drawn.inputs[place] = LARGE * stream.choice((-1.0, 1.0))


def _saturated_unit(drawn: Drawn, stream: np.random.Generator) -> None:
    """One hidden unit of one block is driven far out; the others stay generic."""
    names = [name for name, value in drawn.parameters.items() if value.ndim == 2 and "W_y" not in name]
    if names:
        weight = drawn.parameters[names[stream.integers(len(names))]]
        if weight.size:
            weight[stream.integers(weight.shape[0])] *= LARGE


def _zero_state_row(drawn: Drawn, _: np.random.Generator) -> None:
    for value in drawn.states.values():
        if len(value) > 1:
            value[-1] = 0


_PLACE: dict[Special, Callable[[Drawn, np.random.Generator], None]] = {
    "zeros in x": _zeros_in_x,
    "equal rows": _equal_rows,
    "large x": _large_x,
    "saturated unit": _saturated_unit,
    "zero state row": _zero_state_row,
}
