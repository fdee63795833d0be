"""Every formula that a document sets off is read, but for the one that lost a parenthesis and the few that are none."""

from __future__ import annotations

import re

from rnn_harness.specs.notation import NotationError, parse
from tests.helpers.documents import DOCUMENTS, WITH_DOCUMENTS, lines_of

pytestmark = WITH_DOCUMENTS

NO_FORMULAS = {"000:97": "an arrow diagram with labels on its arrows"}
UNBALANCED = {"003:852": 154}


def formulas() -> list[tuple[str, str]]:
    found = []
    for document in DOCUMENTS:
        for number, line in enumerate(lines_of(document), 1):
            found += [(f"{document}:{number}", text) for text in re.findall(r"\$\$(.*?)\$\$", line)]
    return found


def test_formula_is_read_or_refused_for_a_known_reason() -> None:
    refused: dict[str, NotationError] = {}
    count = 0
    for place, text in formulas():
        count += 1
        try:
            parse(text)
        except NotationError as error:
            refused[place] = error
    assert count > 80
    assert set(refused) == set(NO_FORMULAS) | set(UNBALANCED), refused
    for place, column in UNBALANCED.items():
        assert (refused[place].category, refused[place].column) == ("unbalanced", column)
