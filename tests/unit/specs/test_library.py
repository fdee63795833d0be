"""The shipped specs are complete: every equation once, every link closed, every shape as declared."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rnn_harness.cases.case import Case
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.specs import Spec, library
from rnn_harness.subjects.parameter_map import assemble
from rnn_harness.subjects.subject import LAYERS, Subject

IDS = [f"E-{n:03d}" for n in range(1, 16)]
IDS += [f"E-{n}" for first, last in ((101, 114), (201, 205), (301, 349), (401, 405)) for n in range(first, last + 1)]
CELLS = library().cells
LINKED = [spec for spec in CELLS if spec.reference is not None]


def test_there_are_88_equations_in_five_documents() -> None:
    assert len(IDS) == 88


@pytest.mark.parametrize("name", IDS)
def test_equation_has_an_entry(name: str) -> None:
    spec, entry = library().entry(name)
    assert entry.id == name
    assert entry.document == f"{'00' + name[2] if name[2] != '0' else '000'}"
    assert spec.lines[name] > 0


def test_ids_are_well_formed_and_unique() -> None:
    names = [entry.id for spec in library().specs for entry in spec.entries]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[ET]-\d{3}[a-z]?", name)] == []


def test_errata_ids_are_unique_within_an_entry() -> None:
    for spec in library().specs:
        for entry in spec.entries:
            names = [erratum.id for erratum in entry.errata]
            assert len(names) == len(set(names)), entry.id


@pytest.mark.parametrize("spec", CELLS, ids=lambda spec: spec.id)
def test_cell_elaborates_into_a_program_with_every_equation(spec: Spec) -> None:
    program = spec.program()
    computed = {assignment.equation for assignment in program.assignments}
    assert computed == {equation.id for equation in spec.equations if not equation.alternative}
    for equation in spec.equations:
        assert spec.assignment(equation.id)


@pytest.mark.parametrize("spec", LINKED, ids=lambda spec: spec.id)
def test_reference_link_is_complete_and_fits_the_declared_shapes(spec: Spec) -> None:
    subject = Subject.of(spec)
    case = Case(spec=spec.id, n=3, d=4, k=2)
    evaluation = Evaluation.of(subject, case)
    sizes = case.sizes
    for parameter in spec.program(LAYERS).parameters:
        value = assemble(subject.blocks[parameter.name], evaluation.arrays.parameters)
        assert value.shape == tuple(size.size(sizes) for size in parameter.shape), parameter.name
    mapped = {block.name for blocks in subject.blocks.values() for block in blocks}
    assert mapped == set(subject.parameter_shapes(sizes))
    assert set(subject.states.values()) == set(subject.cell.state_names)
    for assignment in spec.program(LAYERS).assignments:
        name = subject.trace[assignment.target.name]
        assert evaluation.run.trace[name].shape == (case.T, case.B, assignment.target.shape[0].size(sizes))
    assert np.isfinite(evaluation.run.outputs).all()


def test_an_id_that_there_is_not_is_told_with_those_that_look_like_it() -> None:
    with pytest.raises(KeyError) as told:
        library().spec("gru.keep.colum")
    assert str(told.value).startswith("there is no spec 'gru.keep.colum'; did you mean gru.keep.column")
    with pytest.raises(KeyError) as told:
        library().entry("E-3488")
    assert str(told.value).startswith("there is no equation 'E-3488'; did you mean E-348")
