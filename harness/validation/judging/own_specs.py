"""Specs that a candidate is held against without a reference: read from a file, the literature or a record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rnn_harness.errors import NotRun, UsageError, first_line
from rnn_harness.specs import Spec, library, literature, load_spec
from rnn_harness.specs.expression import variables
from rnn_harness.specs.schema import SpecModel


def load_spec_file(path: str) -> Spec:
    """Load a spec without its reference, whose place the candidate takes.

    Args:
        path: The TOML file.

    Raises:
        SpecError: The file is no spec.
        UsageError: It defines no cell.
    """
    spec = load_spec(Path(path), library().specs)
    if not spec.is_cell:
        raise UsageError(f"{path} defines no cell: nothing can be validated against it")
    if unknown := sorted(spec.model.dimensions - {"n", "d"}):
        raise UsageError(
            f"{path} has the size {', '.join(unknown)}: code is held against sizes n and d, and against letters of its "
            'own that have a usual length, as in sizes = { m = "2d" }; n, d, k, B and T are no such letters'
        )
    return without_reference(spec)


def spec_without_reference(wanted: str) -> Spec | None:
    """Load what a request compares with, if that is a spec file or a cell of the literature; None if it is neither.

    Args:
        wanted: A path that ends in ``.toml``, or an id.

    Raises:
        SpecError: The file is no spec.
        UsageError: It defines no cell.
    """
    if wanted.endswith(".toml"):
        return load_spec_file(wanted)
    return next((spec for spec in literature() if spec.id == wanted), None) if wanted != "auto" else None


def state_names_of(wanted: str) -> tuple[str, ...]:
    """Return what the states are called by what a request compares with; nothing where it is no own spec.

    Args:
        wanted: A path that ends in ``.toml``, or an id.

    Raises:
        SpecError: The file is no spec.
        UsageError: It defines no cell.
    """
    spec = spec_without_reference(wanted)
    return () if spec is None else tuple(spec.model.states)


def definition_of(spec: Spec) -> str:
    """Write the content of a spec as JSON, for a record.

    Args:
        spec: A spec without a reference.
    """
    return spec.model.model_dump_json(exclude_defaults=True)


def spec_of_definition(definition: str) -> Spec:
    """Read the spec of a record.

    Args:
        definition: What `definition_of` gave.

    Raises:
        NotRun: It is no spec any more.
    """
    try:
        return Spec(SpecModel.model_validate_json(definition), Path("the record"), {})
    except ValueError as error:
        raise NotRun(f"the record holds no spec that can be read: {first_line(error)}") from None


def without_reference(spec: Spec) -> Spec:
    """Return a spec without its reference, so that its own names are those of parameters and states.

    Args:
        spec: A spec with a reference or without; it is not changed.
    """
    return replace(spec, model=spec.model.model_copy(update={"reference": None}))


def of_its_states(spec: Spec) -> Spec:
    """Return a spec without its reference, whose output is the state that it equals: a target may give nothing else.

    Args:
        spec: A spec with a reference or without; it is not changed.
    """
    bare = without_reference(spec)
    program = bare.program()
    results = {entry.target: entry.expression for entry in program.assignments}
    output = program.outputs[0]
    states = [state.at(0) for state in program.states]
    equal = [state.name for state in states if state != output and results.get(output) in (state, results.get(state))]
    return replace(bare, model=bare.model.model_copy(update={"outputs": (equal[0],)})) if equal else bare


def without_alternatives(spec: Spec) -> Spec:
    """Return a spec without the second ways to write its equations, and without the parameters that these alone read.

    Args:
        spec: A spec with a reference or without; it is not changed.
    """
    if not any(equation.alternative for equation in spec.equations):
        return spec
    program = spec.program()
    read = {symbol.name for entry in program.assignments for symbol in variables(entry.expression)}
    parameters = {name: text for name, text in spec.model.parameters.items() if name in read}
    equations = tuple(equation for equation in spec.model.equations if not equation.alternative)
    used = tuple(equation for equation in spec.used if not equation.alternative)
    changed = {"parameters": parameters, "equations": equations, "reference": None}
    return replace(spec, model=spec.model.model_copy(update=changed), used=used)
