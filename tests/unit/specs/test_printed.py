"""Every print stands where the spec says it does: by the hashes that are shipped, and in the documents themselves."""

from __future__ import annotations

import pytest

from rnn_harness.specs import DOCUMENT_TITLES, Entry, Example, claims, contradictions, library, misprints
from rnn_harness.specs.transcription import cited_lines, line_hashes, line_tokens, stands_at
from tests.helpers.documents import DOCUMENTS, WITH_DOCUMENTS, lines_of

ENTRIES = [entry for spec in library().specs for entry in spec.entries if entry.document in DOCUMENTS]
QUOTES = {f"{row.id} at {place}": (place, words) for row in claims() for place, words in row.prints.items()}
QUOTES |= {f"{row.id} at {place}": (place, words) for row in misprints() for place, words in row.prints.items()}
QUOTES |= {
    f"title at {number}:{line}": (f"{number}:{line}", words)
    for number, title in DOCUMENT_TITLES.items()
    for line, words in title.lines.items()
}


def _later_places(document: str, line: int) -> list[str]:
    """The cited lines of a document behind a line, in their order."""
    numbers = sorted(int(place[4:]) for place in cited_lines() if place[:3] == document)
    return [f"{document}:{number}" for number in numbers if number > line]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.id} stands at {entry.document}:{entry.line}")
def test_print_stands_at_its_line(entry: Entry) -> None:
    """By the hashes of the cited lines; they are those of the documents, where these are at hand (below)."""
    for start in (entry.line, *entry.also):
        first, *others = entry.printed.strip("\n").split("\n")
        assert stands_at(f"{entry.document}:{start}", first)
        later = _later_places(entry.document, start)
        for part in others:
            where = next(index for index, place in enumerate(later) if stands_at(place, part))
            later = later[where + 1 :]


@pytest.mark.parametrize(
    "example", [entry for entry in ENTRIES if isinstance(entry, Example) and entry.given], ids=lambda entry: entry.id
)
def test_given_numbers_stand_in_the_lines_named(example: Example) -> None:
    places = [f"{example.document}:{n + more}" for n in example.given_lines for more in (0, 1)]
    for symbol, value in example.given.items():
        assert any(stands_at(place, value) for place in places), f"{symbol} = {value} is not in {places}"


@pytest.mark.parametrize("name", QUOTES)
def test_quoted_words_stand_at_their_line(name: str) -> None:
    place, words = QUOTES[name]
    assert stands_at(place, words), f"{words!r} is not at {place}"


def test_positions_are_at_lines_that_say_something() -> None:
    for contradiction in contradictions():
        for side in contradiction.positions:
            for place in side.at:
                assert cited_lines()[place], f"{contradiction.id}: {place} is empty"


@WITH_DOCUMENTS
@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_hashes_are_those_of_the_document(document: str) -> None:
    lines = lines_of(document)
    for place, hashes in cited_lines().items():
        if place[:3] == document:
            expected = line_hashes(place, lines[int(place[4:]) - 1])
            assert hashes == expected, f'specs/data/lines.toml must read "{place}" = "{expected}"'


@WITH_DOCUMENTS
@pytest.mark.parametrize("document", DOCUMENTS)
def test_prints_stand_in_the_document_character_for_character(document: str) -> None:
    lines = lines_of(document)
    for entry in (entry for entry in ENTRIES if entry.document == document):
        first, *others = entry.printed.strip("\n").split("\n")
        assert first in lines[entry.line - 1], f"{entry.id}: {document}:{entry.line} reads {lines[entry.line - 1]!r}"
        for start in (entry.line, *entry.also):
            # Where it is printed again, blanks may be others.
            again = "".join(lines[start - 1].split())
            assert "".join(first.split()) in again, f"{entry.id}: {document}:{start} reads {lines[start - 1]!r}"
            where = start
            for part in others:
                where = next(n for n in range(where + 1, len(lines) + 1) if part in lines[n - 1])


@WITH_DOCUMENTS
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_formula_that_a_document_sets_off_is_held(document: str) -> None:
    starts = {place for entry in ENTRIES for place in (entry.line, *entry.also) if entry.document == document}
    set_off = {number for number, line in enumerate(lines_of(document), 1) if "$$" in line}
    others = {f"{document}:{number}" for number in set_off - starts} - set(cited_lines())
    assert others == ({"003:175"} if document == "003" else set()), "003:175 says what i counts"


@WITH_DOCUMENTS
def test_quotes_stand_in_the_documents_character_for_character() -> None:
    lines = {document: lines_of(document) for document in DOCUMENTS}
    wrong = [name for name, (place, words) in QUOTES.items() if words not in lines[place[:3]][int(place[4:]) - 1]]
    assert wrong == []


def test_a_word_or_a_place_that_is_wrong_is_seen() -> None:
    assert stands_at("003:411", "8 or 10")
    assert not stands_at("003:411", "8 or 11")
    assert not stands_at("003:412", "8 or 10")
    assert not stands_at("003:411", "10 or 8")
    assert not stands_at("003:411", "")
    assert not stands_at("009:1", "8")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_one_sign_less_or_more_in_a_print_is_seen(entry: Entry) -> None:
    place, first = f"{entry.document}:{entry.line}", entry.printed.strip("\n").split("\n")[0]
    tokens = line_tokens(first)
    middle = len(tokens) // 2
    if len(tokens) > 2:
        assert not stands_at(place, " ".join((*tokens[:middle], *tokens[middle + 1 :])))
    assert not stands_at(place, " ".join((*tokens[:middle], "wrong", *tokens[middle:])))
