"""A constant that is added to a bias: the program that is searched is the one of the spec that is told."""

from __future__ import annotations

import pytest

from rnn_harness.specs import library, literature
from rnn_harness.validation.spec_search.constants import open_program, openings


@pytest.mark.parametrize("name", ["gru.keep.column", "lstm.column", "lstm.sigma", "ugrnn"])
def test_a_constant_stands_in_the_program_where_the_parser_would_put_it(name: str) -> None:
    spec = next(spec for spec in (*library().cells, *literature()) if spec.id == name)
    opened = list(openings(spec))
    assert len(opened) >= 2
    for opening in opened:
        read_again = open_program(opening.spec(spec))
        assert opening.program.assignments == read_again.assignments != spec.program().assignments
