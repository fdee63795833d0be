"""A counterexample of a candidate as a program: NumPy, the candidate, its numbers, and the number expected of it.

A torch module and a NumPy object are called as they are; what is made with another library is driven by this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.counterexamples.fast_difference import Difference
from rnn_harness.counterexamples.program import array_lines, mapping_lines
from rnn_harness.options import Options
from rnn_harness.subjects.case_arrays import CaseArrays
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.loading.adapters.array_objects import called_method
from rnn_harness.validation.loading.driver import TargetDriver

_FLAT = (
    "flat = lambda r: [a for b in (r.values() if isinstance(r, dict) else r) for a in flat(b)]"
    " if isinstance(r, (tuple, list, dict)) else flat(vars(r)) if hasattr(r, '__dataclass_fields__') else [r]"
)
_ADAPTER_OPTIONS = ("method", "params")
"""Options that an adapter needs, and the constructor of a class does not take."""


@dataclass(frozen=True)
class ScriptParts:
    """What a program shows.

    Attributes:
        target: The candidate as it is typed.
        options: What its constructor or its adapter needs besides the sizes.
        spec: The spec that it differs from.
        driver: How it is driven.
        arrays: The numbers that it is called with.
        difference: The place where it differs, and the number that it gives there.
        expected: The number that the equations give there.
        bound: By how much the two may differ.
        given_spec: The file, or the id, of the spec that the candidate is held against; empty where it has a reference.
        is_of_fixed_sizes: Whether the candidate exists for its sizes alone, so that this package makes it.
    """

    target: str
    options: Options
    spec: str
    driver: TargetDriver
    arrays: CaseArrays
    difference: Difference
    expected: float
    bound: float
    given_spec: str = ""
    is_of_fixed_sizes: bool = False

    @property
    def sizes(self) -> tuple[int, int]:
        """(n, d)."""
        return self.arrays.inputs.shape[2], next(iter(self.arrays.states.values())).shape[1]

    @property
    def states(self) -> dict[str, Array]:
        """The states that go into the candidate, (B, d) each, in its order."""
        names = self.driver.state_names[: self.driver.convention.states]
        return {name: self.arrays.states[name] for name in names}


def script_text(parts: ScriptParts) -> str:
    """Write the program; it ends in an assertion that fails.

    Args:
        parts: The target, its numbers, and the number that is expected of it with the bound.
    """
    convention, library = parts.driver.convention, parts.driver.capabilities.library
    is_importable = ":" in parts.target and "<" not in parts.target
    is_called_by_rows = convention.takes_rows and not convention.prefixes and convention.input_form != "packed"
    is_called_by_rows = is_called_by_rows and not (convention.reading or parts.is_of_fixed_sizes)
    lines = [f"# {parts.target} is not {parts.spec}: found and shrunk by rnn-harness.", "import numpy as np"]
    if is_importable and is_called_by_rows and not library:
        lines += _torch_lines(parts)
    elif (
        is_importable and is_called_by_rows and library == "NumPy" and not parts.difference.backward and _method(parts)
    ):
        lines += _numpy_lines(parts)
    else:
        lines += _reference_lines(parts)
    lines.append(f"expected = {parts.expected!r}")
    lines.append('print("found", found, "expected", expected)')
    lines.append(f"assert abs(found - expected) <= {parts.bound!r}  # what rounding allows")
    return "\n".join(lines) + "\n"


def _import_lines(parts: ScriptParts) -> Iterator[str]:
    """Yield the lines that make ``cell`` in the sizes of the arrays."""
    where, _, name = parts.target.rpartition(":")
    if where.endswith(".py"):
        yield f"import sys; sys.path.insert(0, {str(Path(where).parent.resolve())!r})"
        where = Path(where).stem
    yield f"import {where}"
    n, d = parts.sizes
    options = "".join(f", {key}={value!r}" for key, value in parts.options.items() if key not in _ADAPTER_OPTIONS)
    yield f"cell = {where}.{name}({n}, {d}{options})"


def _torch_lines(parts: ScriptParts) -> Iterator[str]:
    """Yield the lines that call a torch module, and differentiate it if a gradient differs."""
    place, names = parts.difference, parts.driver.state_names
    yield "import torch"
    yield from _import_lines(parts)
    yield from mapping_lines("p", parts.driver.table.pack(parts.arrays.parameters))
    yield "cell = cell.double().eval(); cell.load_state_dict({k: torch.tensor(v) for k, v in p.items()}, strict=False)"
    yield from array_lines("x", parts.arrays.inputs)
    yield from mapping_lines("s", parts.states)
    yield "x = torch.tensor(x).requires_grad_(); s0 = s = {k: torch.tensor(v).requires_grad_() for k, v in s.items()}"
    yield from _call_lines(parts, "cell", "torch")
    if not place.backward:
        where = "h" if place.part == "outputs" else f"s[{place.name!r}]"
        yield f"found = float({where}.detach()[{_subscript(place.index)}])"
        return
    yield from array_lines("d_h", parts.arrays.d_outputs)
    yield from mapping_lines("d_s", {name: parts.arrays.d_finals[name] for name in names})
    yield "total = (h * torch.tensor(d_h)).sum() + sum((s[k] * torch.tensor(d_s[k])).sum() for k in s)"
    yield "total.backward()"
    leaf, subscript = _leaf(parts)
    yield f"found = 0.0 if {leaf}.grad is None else float({leaf}.grad[{subscript}])  # None: nothing reaches it"


def _numpy_lines(parts: ScriptParts) -> Iterator[str]:
    """Yield the lines that call a method of an object with NumPy arrays."""
    place = parts.difference
    yield from _import_lines(parts)
    yield from mapping_lines("p", parts.driver.table.pack(parts.arrays.parameters))
    yield "for key, value in p.items():"
    yield "    place, _, name = key.rpartition('/')"
    yield "    (getattr(cell, place) if place else vars(cell))[name] = value"
    yield from array_lines("x", parts.arrays.inputs)
    yield from mapping_lines("s", parts.states)
    yield from _call_lines(parts, f"cell.{_method(parts)}", "np")
    yield f"found = float({'h' if place.part == 'outputs' else f's[{place.name!r}]'}[{_subscript(place.index)}])"


def _call_lines(parts: ScriptParts, call: str, library: str) -> Iterator[str]:
    """Yield the lines that call the candidate on ``x`` and ``s``, as its convention wants.

    Args:
        parts: What the program shows.
        call: The expression that is called.
        library: The module whose ``stack`` joins steps.

    Yields:
        Lines after which ``h`` is the outputs (T, B, d), and ``s`` the final states.
    """
    convention, names = parts.driver.convention, parts.driver.state_names
    transposed = ".T" if convention.state_axes == "dB" else ""
    layer = {"1Bd": "[None]", "B1d": "[:, None]"}.get(convention.state_axes, "")
    states = [f"s['{name}']{transposed}{layer}" for name in parts.states]

    def called_on(x: str) -> str:
        return f"out = flat({call}({', '.join(_argument_texts(convention, x, states, library))}))"

    yield _FLAT
    if convention.state_form.container == "fields" and convention.state_form.constructor is None:
        yield "from types import SimpleNamespace"
    if convention.sequence:
        yield called_on(f"x{_permuted('TBn', convention.axes_of_input)}")
        if convention.listed:
            yield f"out = [{library}.stack(out[: len(x)]), *out[len(x) :]]"
        axes = "TBd" if convention.listed else convention.output_axes or convention.axes_of_input.replace("n", "d")
        yield f"h = out[{convention.taken[0]}]{_permuted(axes, 'TBd')}"
        rows = ".reshape(x.shape[1], -1)"
        parts_out = _returned_states(convention, convention.taken[1:])
        finals = (f"'{name}': {part}{rows}" for name, part in zip(names, parts_out, strict=False))
        yield f"s = {{{', '.join(finals)}}}"
    else:
        yield "h = []"
        yield "for x_t in x:"
        yield f"    {called_on(f'x_t{transposed}')}"
        parts_out = _returned_states(convention, convention.taken)
        nexts = (f"'{name}': {part}{transposed}" for name, part in zip(names, parts_out, strict=True))
        output = parts.driver.output_name
        shown = f"s['{output}']" if output in names else f"out[{convention.output_place}]{transposed}"
        yield f"    s = {{{', '.join(nexts)}}}; h.append({shown})"
        yield f"h = {library}.stack(h)"


def _argument_texts(convention: CallingConvention, x: str, states: list[str], library: str) -> list[str]:
    """Write the arguments of one call. `x`, `states`: the expressions of the input and of the states, as they go in."""
    texts = []
    rows = "len(x_t)" if not convention.sequence else "x.shape[1]"
    for argument in convention.handed_over:
        match argument.role:
            case "input":
                text = f"list({x})" if convention.input_form == "list" else x
            case "states":
                text = convention.state_form.expression(states, library)
            case "first state":
                text = convention.state_form.expression(states[:1], library)
            case "second state":
                text = convention.state_form.expression(states[1:], library)
            case _:
                text = argument.expression("len(x)", rows, library)
        texts.append(f"{argument.keyword}={text}" if argument.keyword else text)
    return texts


def _returned_states(convention: CallingConvention, places: tuple[int, ...]) -> list[str]:
    """Write the expressions of the states that come back."""
    if not convention.merging:
        texts = [f"out[{place}]" for place in places]
    elif convention.merging == "stacked":
        texts = [f"out[{places[0]}][{part}]" for part in range(2)]
    else:
        width = f"out[{places[0]}].shape[-1] // 2"
        texts = [f"out[{places[0]}][..., : {width}]", f"out[{places[0]}][..., {width} :]"]
    return texts[::-1] if convention.exchanged else texts


def _permuted(axes: str, wanted: str) -> str:
    """Write what arranges the axes of an array; empty where they are as wanted."""
    if axes == wanted:
        return ""
    if axes[2:] == wanted[2:]:
        return ".swapaxes(0, 1)"
    return f".permute{tuple(axes.index(axis) for axis in wanted)}"


def _leaf(parts: ScriptParts) -> tuple[str, str]:
    """Return the expression of the leaf whose gradient differs, and the subscript of the number in it."""
    place = parts.difference
    if place.part == "inputs":
        return "x", _subscript(place.index)
    if place.part == "states":
        return f"s0['{place.name}']", _subscript(place.index)
    # A one in that place of the reference's parameter shows where it stands in the target's.
    markers = {name: np.zeros_like(value) for name, value in parts.arrays.parameters.items()}
    markers[place.name][place.index] = 1
    for name, value in parts.driver.table.pack(markers).items():
        if value.any():
            index = tuple(int(i) for i in np.argwhere(value)[0])
            return f"dict(cell.named_parameters())[{name!r}]", _subscript(index)
    raise AssertionError("every parameter of the reference that differs is one of the target's")


def _subscript(index: tuple[int, ...]) -> str:
    """Write an index between brackets."""
    return ", ".join(map(str, index))


def _method(parts: ScriptParts) -> str:
    """Return the method of the object that is called; empty if the candidate is no object with a method."""
    return called_method(parts.driver.make_module(1, 1)) or ""


def _reference_lines(parts: ScriptParts) -> Iterator[str]:
    """Yield the lines that drive the candidate through this package."""
    place = parts.difference
    yield "from rnn_harness.validation import candidate_as_reference"
    spec = f", {parts.given_spec!r}" if parts.given_spec else ""
    where, _, name = parts.target.rpartition(":")
    target = f"{Path(where).resolve()}:{name}" if where.endswith(".py") else parts.target
    yield f"cell = candidate_as_reference({target!r}, {dict(parts.options)!r}{spec})"
    yield from mapping_lines("p", parts.arrays.parameters)
    yield from array_lines("x", parts.arrays.inputs)
    yield from mapping_lines("s", parts.arrays.states)
    yield "run = cell.forward(p, x, s)"
    if not place.backward:
        where = "run.outputs" if place.part == "outputs" else f"run.finals[{place.name!r}]"
        yield f"found = {where}[{_subscript(place.index)}]"
        return
    yield from array_lines("d_outputs", parts.arrays.d_outputs)
    yield from mapping_lines("d_finals", parts.arrays.d_finals)
    yield "back = cell.backward(run, d_outputs, d_finals)"
    where = "back.inputs" if place.part == "inputs" else f'back.{place.part}["{place.name}"]'
    yield f"found = {where}[{_subscript(place.index)}]"
