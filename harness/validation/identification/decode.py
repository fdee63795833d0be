"""Which parameter is which: every slot is tried alone, then beside those that are known, and told by what comes out.

A slot that shows nothing alone (an input gate while the candidate is zero) shows it beside others. What is decoded is
confirmed by one run with everything.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.cells.parameter_blocks import BlockMap
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.identification.probe import Probe, Response, close

Role = tuple[str, bool]
"""A name of the reference, and whether the block is transposed; a vector: whether it is subtracted."""
MOST_BIASES, MOST_READINGS = 2, 4


@dataclass(frozen=True)
class ParameterAssignment:
    """Names for slots. `matched`: how many of them were told by a run; the others have the names that were left."""

    layout: Layout
    names: tuple[tuple[int, Role], ...]
    matched: int

    @property
    def table(self) -> BlockMap:
        """As a parameter map."""
        pieces = tuple(self.layout.gate_blocks[index].piece(*role) for index, role in self.names)
        return BlockMap(pieces, self.layout.forms, self.layout.recurrent_first)

    def gate_order(self, kind: str) -> str:
        """The gates in the order of the slots of that kind."""
        own = [role[0] for index, role in self.names if self.layout.gate_blocks[index].kind == kind]
        return "".join(name.removeprefix(f"W_{kind}") for name in own if name.startswith(f"W_{kind}"))


class Decoder:
    """Decodes a target's slots as one sketch, with its states in one order."""

    def __init__(self, seen: Probe, layout: Layout, model: CellModel, states: tuple[str, ...]) -> None:
        self.seen, self.layout, self.model, self.states = seen, layout, model, states
        self.steps = seen.steps

    def predict(self, named: Mapping[int, Role], steps: int | None = None) -> Response:
        """What the sketch gives for those slots."""
        return self.of(self.parameters(named), steps or self.steps)

    def parameters(self, named: Mapping[int, Role]) -> dict[str, Array]:
        """The sketch's parameters for those slots."""
        found: dict[str, Array] = {}
        for index, (name, flipped) in named.items():
            value = self.seen.value(self.layout, index)
            value = (value.T if value.ndim == 2 else -value) if flipped else value
            found[name] = found[name] + value if name in found else value
        return found

    def of(self, parameters: Mapping[str, Array], steps: int) -> Response:
        """What the sketch gives, as the target would show it."""
        own = self.model.state_names
        given = dict(zip(self.states, self.seen.states, strict=False))
        start = tuple(given[name] if self.seen.convention.states else np.zeros_like(given[name]) for name in own)
        outputs, finals = self.model.run(parameters, self.seen.inputs[:steps], start)
        ends = dict(zip(own, finals, strict=True))
        return Response((outputs,), tuple(ends[name] for name in self.states))

    def agree(self, target: Response, predicted: Response) -> bool:
        """Whether the target shows what the sketch gives; states that it does not return are not compared."""
        pairs = [
            (target.hidden(self.states), predicted.outputs[0]),
            *zip(target.finals, predicted.finals, strict=False),
        ]
        return all(a.shape == b.shape and close(a, b, self.seen.tolerance) for a, b in pairs)

    def _shows(self, alive: Mapping[int, Role], index: int) -> bool:
        base = self.seen.masked(self.layout, frozenset(alive))
        return not self.seen.same(base, self.seen.masked(self.layout, frozenset((*alive, index))))

    def _free(self, index: int, named: Mapping[int, Role]) -> Iterator[Role]:
        gate_block = self.layout.gate_blocks[index]
        taken = [name for name, _ in named.values()]
        for name in self.model.roles(gate_block.kind):
            if taken.count(name) < (MOST_BIASES if gate_block.kind == "b" and name.startswith("b") else 1):
                yield name, False
                if gate_block.square or (gate_block.kind == "b" and self._negates(name)):
                    yield name, True

    def _negates(self, name: str) -> bool:
        """Whether a product of that gate is subtracted: a bias that stands beside it is so too."""
        letter = name.removeprefix("b").lstrip("_")
        return any(edit.where == letter and edit.what.endswith(" negated") for edit in self.model.faults)

    def _fitting(self, index: int, named: Mapping[int, Role]) -> list[Role]:
        target = self.seen.masked(self.layout, frozenset((*named, index)))
        return [role for role in self._free(index, named) if self.agree(target, self.predict({**named, index: role}))]

    def zero(self) -> bool:
        """Whether target and sketch agree when every parameter is zero."""
        return self.agree(self.seen.masked(self.layout, frozenset()), self.predict({}))

    def assignments(self, partial: bool = False) -> list[ParameterAssignment]:
        """Complete readings, confirmed by a run with everything; `partial`: also the best ones that are not."""
        found = list(self._decoded({}, partial))
        whole = self.seen.whole()
        if not partial:
            found = [one for one in found if not self._misses_the_reset(one)]
            found = [one for one in found if self.agree(whole, self.predict(dict(one.names), len(self.seen.inputs)))]
        return found[:MOST_READINGS]

    def _misses_the_reset(self, one: ParameterAssignment) -> bool:
        """Two biases of the candidate, both outside the reset gate that acts after the product: one belongs inside."""
        names = [name for _, (name, _) in one.names]
        return self.model.reset == "after" and names.count("b_g") > 1 and "b_hg" not in names

    def _decoded(self, named: dict[int, Role], partial: bool) -> Iterator[ParameterAssignment]:
        open_ones = [index for index in range(len(self.layout.gate_blocks)) if index not in named]
        ties: list[tuple[int, list[Role]]] = []
        moved = False
        for index in open_ones:
            if not self._shows(named, index):
                continue
            fitting = self._fitting(index, named)
            if not fitting:
                if not partial:
                    return  # it shows something that no name explains
                continue
            if len(fitting) == 1:
                named = {**named, index: fitting[0]}
                moved = True
            else:
                ties.append((index, fitting))
        if moved:
            yield from self._decoded(named, partial)
        elif ties:
            index, fitting = ties[0]
            for role in fitting[:MOST_READINGS]:
                yield from self._decoded({**named, index: role}, partial)
        elif together := self._together(named, [index for index in open_ones if not self._shows(named, index)]):
            for two in together[:MOST_READINGS]:
                yield from self._decoded({**named, **two}, partial)
        else:
            yield from self._finished(named, open_ones)

    def _together(self, named: Mapping[int, Role], silent: list[int]) -> list[dict[int, Role]]:
        """Names for the first two slots of which each alone shows nothing, but both do: factors of one product."""
        base = self.seen.masked(self.layout, frozenset(named))
        if self.seen.same(base, self.seen.masked(self.layout, frozenset((*named, *silent)))):
            return []
        for one, other in itertools.combinations(silent, 2):
            target = self.seen.masked(self.layout, frozenset((*named, one, other)))
            if self.seen.same(base, target):
                continue
            found: list[dict[int, Role]] = []
            for first in self._free(one, named):
                for second in self._free(other, {**named, one: first}):
                    two = {one: first, other: second}
                    if self.agree(target, self.predict({**named, **two})):
                        found.append(two)
            if found:
                return found
        return []

    def _finished(self, named: dict[int, Role], silent: list[int]) -> Iterator[ParameterAssignment]:
        """Slots that nothing tells apart get the names that are left, in their order."""
        matched = len(named)
        for index in silent:
            free = list(self._free(index, named))
            taken = {name for name, _ in named.values()}
            role = next((one for one in free if one[0] not in taken), free[0] if free else None)
            if role is None:
                continue  # it has no influence, and nothing is left for it to be
            named = {**named, index: role}
        yield ParameterAssignment(self.layout, tuple(sorted(named.items())), matched)
