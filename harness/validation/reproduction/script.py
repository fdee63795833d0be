"""A counterexample of a candidate as a program: NumPy, the candidate, the numbers that matter, what should come out.

A torch module and a NumPy object are called as they are; what is of another library is driven by this package.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.counterexamples.fast_difference import Difference
from rnn_harness.counterexamples.program import array_lines, mapping_lines
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.validation.loading.adapters.array_objects import called_method
from rnn_harness.validation.loading.driver import TargetDriver

_FLAT = (
    "flat = lambda r: [a for b in (r.values() if isinstance(r, dict) else r) for a in flat(b)]"
    " if isinstance(r, (tuple, list, dict)) else [r]"
)


@dataclass(frozen=True)
class Shown:
    """What a program shows. `text`, `options`: the target as typed."""

    text: str
    options: dict[str, Any]
    spec: str
    driver: TargetDriver
    drawn: CaseArrays
    place: Difference
    expected: float
    bound: float

    @property
    def sizes(self) -> tuple[int, int]:
        """(n, d)."""
        return self.drawn.inputs.shape[2], next(iter(self.drawn.states.values())).shape[1]


def program(shown: Shown) -> str:
    """The program's text; it ends in an assertion that fails."""
    how, foreign = shown.driver.convention, shown.driver.capabilities.library
    alone = ":" in shown.text and "<" not in shown.text and how.arrangement in ("rows", "columns")
    lines = [f"# {shown.text} is not {shown.spec}: found and shrunk by rnn-harness.", "import numpy as np"]
    if alone and not foreign:
        lines += _torch(shown)
    elif alone and foreign == "NumPy" and not shown.place.backward and _method(shown.driver):
        lines += _numpy(shown)
    else:
        lines += _driven(shown)
    lines.append(f"expected = {shown.expected!r}")
    lines.append('print("found", found, "expected", expected)')
    lines.append(f"assert abs(found - expected) <= {shown.bound!r}  # what rounding allows")
    return "\n".join(lines) + "\n"


def _imported(shown: Shown) -> Iterator[str]:
    """``cell`` of the sizes that are needed."""
    where, _, name = shown.text.rpartition(":")
    if where.endswith(".py"):
        yield f"import sys; sys.path.insert(0, {str(Path(where).parent.resolve())!r})"
        where = Path(where).stem
    yield f"import {where}"
    n, d = shown.sizes
    given = "".join(f", {key}={value!r}" for key, value in shown.options.items() if key not in ("method", "params"))
    yield f"cell = {where}.{name}" + (f"({n}, {d}{given})" if shown.driver.capabilities.fixed_sizes is None else "")


def _states(shown: Shown) -> dict[str, Array]:
    return {name: shown.drawn.states[name] for name in shown.driver.state_names[: shown.driver.convention.states]}


def _torch(shown: Shown) -> Iterator[str]:
    how, place, driver = shown.driver.convention, shown.place, shown.driver
    yield "import torch"
    yield from _imported(shown)
    yield from mapping_lines("p", driver.table.pack(shown.drawn.parameters))
    yield "cell = cell.double().eval(); cell.load_state_dict({k: torch.tensor(v) for k, v in p.items()}, strict=False)"
    yield from array_lines("x", shown.drawn.inputs)
    yield from mapping_lines("s", _states(shown))
    yield "x = torch.tensor(x).requires_grad_(); s0 = s = {k: torch.tensor(v).requires_grad_() for k, v in s.items()}"
    yield _FLAT
    own = [f"s['{name}'].T" if how.arrangement == "columns" else f"s['{name}']" for name in _states(shown)]
    own = [f"{one}[None]" for one in own] if how.layered else own
    group = [f"({', '.join(own)})"] if len(own) == 2 and how.packed else own
    names = list(driver.state_names)
    if how.sequence:
        x = "x.swapaxes(0, 1)" if how.batch_first else "x"
        yield f"out = flat(cell({', '.join([*group, x] if how.state_first else [x, *group])}))"
        if how.listed:
            yield "out = [torch.stack(out[: len(x)]), *out[len(x) :]]"
        yield f"h = out[{how.taken[0]}]{'.swapaxes(0, 1)' if how.batch_first else ''}"
        rows = ".reshape(x.shape[1], -1)"
        ends = ", ".join(f"'{name}': out[{i}]{rows}" for name, i in zip(names, how.taken[1:], strict=False))
        yield f"s = {{{ends}}}"
    else:
        turn = ".T" if how.arrangement == "columns" else ""
        yield "h = []"
        yield "for x_t in x:"
        step = f"x_t{turn}"
        yield f"    out = flat(cell({', '.join([*group, step] if how.state_first else [step, *group])}))"
        taken = ", ".join(f"'{name}': out[{i}]{turn}" for name, i in zip(names, how.taken, strict=True))
        yield f"    s = {{{taken}}}; h.append(s['h'])"
        yield "h = torch.stack(h)"
    if not place.backward:
        where = "h" if place.part == "outputs" else f"s[{place.name!r}]"
        yield f"found = float({where}.detach()[{_index(place.index)}])"
        return
    yield from array_lines("d_h", shown.drawn.d_outputs)
    yield from mapping_lines("d_s", {name: shown.drawn.d_finals[name] for name in names})
    yield "total = (h * torch.tensor(d_h)).sum() + sum((s[k] * torch.tensor(d_s[k])).sum() for k in s)"
    yield "total.backward()"
    where, index = _gradient(shown)
    yield f"found = 0.0 if {where}.grad is None else float({where}.grad[{index}])  # None: nothing reaches it"


def _gradient(shown: Shown) -> tuple[str, str]:
    """The leaf whose gradient differs, and the place in it."""
    place = shown.place
    if place.part == "inputs":
        return "x", _index(place.index)
    if place.part == "states":
        return f"s0['{place.name}']", _index(place.index)
    # A one in that place of the reference's parameter shows where it stands in the target's.
    rows = {name: np.zeros_like(value) for name, value in shown.drawn.parameters.items()}
    rows[place.name][place.index] = 1
    for name, value in shown.driver.table.pack(rows).items():
        if value.any():
            where = tuple(int(i) for i in np.argwhere(value)[0])
            return f"dict(cell.named_parameters())[{name!r}]", _index(where)
    raise AssertionError("every parameter of the reference that differs is one of the target's")


def _index(index: tuple[int, ...]) -> str:
    return ", ".join(map(str, index))


def _numpy(shown: Shown) -> Iterator[str]:
    how, place = shown.driver.convention, shown.place
    yield from _imported(shown)
    yield from mapping_lines("p", shown.driver.table.pack(shown.drawn.parameters))
    yield "for key, value in p.items():"
    yield "    place, _, name = key.rpartition('/')"
    yield "    (getattr(cell, place) if place else vars(cell))[name] = value"
    yield from array_lines("x", shown.drawn.inputs)
    yield from mapping_lines("s", _states(shown))
    yield _FLAT
    turn = ".T" if how.arrangement == "columns" else ""
    own = [f"s['{name}']{turn}" for name in _states(shown)]
    group = [f"({', '.join(own)})"] if len(own) == 2 and how.packed else own
    call = f"cell.{_method(shown.driver)}"
    if how.sequence:
        own = [f"{one}[None]" for one in own] if how.layered else own
        x = "x.swapaxes(0, 1)" if how.batch_first else "x"
        yield f"out = flat({call}({', '.join([*group, x] if how.state_first else [x, *group])}))"
        if how.listed:
            yield "out = [np.stack(out[: len(x)]), *out[len(x) :]]"
        yield f"h = out[{how.taken[0]}]{'.swapaxes(0, 1)' if how.batch_first else ''}"
        rows = ".reshape(x.shape[1], -1)"
        ends = ", ".join(
            f"'{k}': out[{i}]{rows}" for k, i in zip(shown.driver.state_names, how.taken[1:], strict=False)
        )
        yield f"s = {{{ends}}}"
    else:
        yield "h = []"
        yield "for x_t in x:"
        step = f"x_t{turn}"
        yield f"    out = flat({call}({', '.join([*group, step] if how.state_first else [step, *group])}))"
        taken = ", ".join(f"'{k}': out[{i}]{turn}" for k, i in zip(shown.driver.state_names, how.taken, strict=True))
        yield f"    s = {{{taken}}}; h.append(s['h'])"
        yield "h = np.stack(h)"
    yield f"found = float({'h' if place.part == 'outputs' else f's[{place.name!r}]'}[{_index(place.index)}])"


def _method(driver: TargetDriver) -> str:
    """The method of the object that is called, empty if it is no object with one."""
    return called_method(driver.make_module(1, 1)) or ""


def _driven(shown: Shown) -> Iterator[str]:
    """Through this package."""
    place = shown.place
    yield "from rnn_harness.validation import driven"
    yield f"cell = driven({shown.text!r}, {shown.options!r})"
    yield from mapping_lines("p", shown.drawn.parameters)
    yield from array_lines("x", shown.drawn.inputs)
    yield from mapping_lines("s", shown.drawn.states)
    yield "run = cell.forward(p, x, s)"
    if not place.backward:
        where = "run.outputs" if place.part == "outputs" else f"run.finals[{place.name!r}]"
        yield f"found = {where}[{_index(place.index)}]"
        return
    yield from array_lines("d_outputs", shown.drawn.d_outputs)
    yield from mapping_lines("d_finals", shown.drawn.d_finals)
    yield "back = cell.backward(run, d_outputs, d_finals)"
    where = "back.inputs" if place.part == "inputs" else f'back.{place.part}["{place.name}"]'
    yield f"found = {where}[{_index(place.index)}]"
