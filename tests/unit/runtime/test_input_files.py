"""Whatever is in a file that is read, what comes is a sentence about it, or what the file says: nothing crashes."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_harness.cli._replay import _read_records as read_for_replay
from rnn_harness.cli.report_inputs import ReportInputs
from rnn_harness.errors import UsageError
from rnn_harness.records.events import RecordMade, collect_validation
from rnn_harness.records.kill_matrix import Kill, MutantResult, dump_kill_matrix
from rnn_harness.records.measurement import DecayMeasurement
from rnn_harness.records.read_records import read_records
from rnn_harness.records.record import Record
from rnn_harness.records.record_document import RecordDocument
from rnn_harness.records.verdict import Outcome
from rnn_harness.reports.changes import compare_reports, read_report
from rnn_harness.reports.junit import write_junit
from rnn_harness.reports.page import build_contents, document_statements, write_report
from rnn_harness.specs import SpecError, load_spec
from rnn_harness.testing.settings import read_settings
from rnn_harness.validation.identification.saved_map import load_map
from rnn_harness.validation.judging.expected_failures import load_expected
from rnn_harness.validation.judging.trained_weights import load_weights
from rnn_harness.validation.loading.options import read_options

HOSTILE = "\x1b[2J\x1b]0;t\x07<script>alert(1)</script>\x00 ]]> & [bold]\ufffe \u202e"
RECORD = Record(
    entry="E-348", spec="gru.keep.column", check="forward.equation", witness="torch", outcome=Outcome.AGREES
)
MUTANT = MutantResult(
    mutant="gru.m", spec="gru.keep.column", part="forward", edit="a -> b", killed=True, examples=1, vacuous=0,
    kills=(Kill(check="forward.equation", examples=1, seconds=0.1, detail="d"),),
)  # fmt: skip
DECAY = DecayMeasurement(subject="x", spec="rnn.tanh", initialisation="torch", rate=0.5, lyapunov_exponent=-0.7)
SPEC = r"""id = "mine"
title = "t"
inputs = { x = "n" }
states = { h = "d" }
parameters = { W = "d n", U = "d d" }

[[equations]]
id = "F-001"
line = 1
printed = 'h_t = \tanh(W x_t + U h_{t-1})'
"""
MAP = {
    "cell": {},
    "called": {},
    "states": ["h"],
    "pieces": [{"parameter": "w", "name": "W_xh", "block": 0, "of": 1}],
    "forms": {},
}


def _read_result(path: Path) -> None:
    ReportInputs().read(path)


def _read_spec(path: Path) -> None:
    with contextlib.suppress(UsageError):
        load_spec(path).program()


def _compare(path: Path) -> None:
    compare_reports(read_report(path), read_report(path))


def _read_option(path: Path) -> None:
    read_options([path.read_text(encoding="utf-8", errors="replace")])


def _valid_files() -> dict[str, tuple[Callable[[Path], object], str, str]]:
    validation = collect_validation("mine.py:Cell", [RecordMade(RECORD)]).model_dump_json()
    return {
        "spec": (_read_spec, "toml", SPEC),
        "expected failures": (load_expected, "toml", '[[expected]]\ncheck = "a"\nreason = "b"\ncase = "{}"\n'),
        "map": (load_map, "json", json.dumps(MAP)),
        "records": (lambda path: list(read_records(path)), "jsonl", RECORD.model_dump_json() + "\n"),
        "records of a report": (_read_result, "jsonl", RECORD.model_dump_json() + "\n"),
        "records to replay": (
            read_for_replay,
            "json",
            RecordDocument(exit_code=0, records=(RECORD,)).model_dump_json(),
        ),
        "validation": (_read_result, "json", validation),
        "validation to replay": (read_for_replay, "json", validation),
        "mutants": (_read_result, "json", dump_kill_matrix([MUTANT])),
        "measurements": (_read_result, "jsonl", DECAY.model_dump_json() + "\n"),
        "report": (_compare, "json", '{"totals": {}, "specs": []}'),
        "options": (_read_option, "txt", "a=[1, 2.5, 'x']"),
    }


VALID = _valid_files()
NASTY = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a number": b"3",
    "a text": b'"x"',
    "no UTF-8": b"\xff\xfe\x00\x00{}",
    "every byte": bytes(range(256)),
    "a list 100,000 deep": b"[" * 100_000,
    "a list 700 deep": b"[" * 700 + b"]" * 700,
    "objects 50,000 deep": b'{"a":' * 50_000,
    "an array of TOML 5,000 deep": b"a = " + b"[" * 5_000 + b"]" * 5_000,
    "tables 3,000 deep": b"[" + b".".join([b"a"] * 3_000) + b"]\nx = 1",
    "an integer of 6,000 digits in JSON": b'{"kind": "decay", "seed": ' + b"9" * 6_000 + b"}",
    "an integer of 6,000 digits in TOML": b"id = " + b"9" * 6_000,
    "an integer of 6,000 digits as an option": b"a=" + b"9" * 6_000,
    "an option 3,000 deep": b"a=" + b"[" * 3_000,
    "NaN": b"NaN",
    "a kind of every file": b'[{"kind": "validation"}]',
    "a kind that is no text": b'{"kind": {"kind": 3}}',
    "a row that is none": b'[{"kind": "mutant"}, 3]',
}


def _read(reader: Callable[[Path], object], path: Path) -> str:
    """Read a file, and return what is said of it; any other error than one of use fails the test."""
    try:
        reader(path)
    except (UsageError, SpecError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("content", NASTY.values(), ids=NASTY)
def test_no_reader_crashes_on(content: bytes, tmp_path: Path) -> None:
    for reader, ending, _ in VALID.values():
        path = tmp_path / f"file.{ending}"
        path.write_bytes(content)
        _read(reader, path)


@pytest.mark.parametrize("noun", [noun for noun in VALID if noun not in ("map", "report")])
def test_a_byte_order_mark_and_ends_of_lines_of_windows_change_nothing(noun: str, tmp_path: Path) -> None:
    reader, ending, text = VALID[noun]
    path = tmp_path / f"file.{ending}"
    path.write_text(text, encoding="utf-8")
    said = _read(reader, path)
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-8") if noun == "options" else
                     b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode("utf-8"))  # fmt: skip
    assert _read(reader, path) == said


def _mutated(text: str) -> st.SearchStrategy[bytes]:
    """Draw files that are nearly right: some of their bytes are cut out, doubled, or others."""
    data = text.encode("utf-8")
    tokens = st.sampled_from([
        b"", b"null", b"[]", b"{}", b"-1", b"1e999", b"NaN", b'"NaN"', b"9" * 5_000, b'"\\ud800"', b"\\u0000", b"\x00",
        b"\xff", b"'", b'"', b"\\", b"]", b"}", b",", b"=", b"\n", b"[[", b"true", b"\xe2\x80\xa8", b"(" * 300,
        rb"\frac{", rb" + U h_{t-1}" * 400, rb"^{9^{9^{9}}}", b" / 0", b"_", b'"kind": "decay",',
    ])  # fmt: skip
    place = st.integers(0, len(data))
    edit = st.tuples(place, place, tokens | st.binary(max_size=4))

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        edited = data
        for first, last, token in edits:
            start, end = sorted((first, last))
            if end - start > 40:
                end = start
            edited = edited[:start] + token + edited[end:]
        return edited

    return st.lists(edit, min_size=1, max_size=4).map(apply)


def _assert_no_reader_crashes(noun: str, content: bytes, folder: Path) -> None:
    reader, ending, _ = VALID[noun]
    path = folder / f"file.{ending}"
    path.write_bytes(content)
    _read(reader, path)


@pytest.mark.parametrize("noun", VALID)
def test_no_reader_crashes_on_a_file_that_is_nearly_right(noun: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("files")

    @given(content=_mutated(VALID[noun][2]))
    @settings(max_examples=15)
    def check(content: bytes) -> None:
        _assert_no_reader_crashes(noun, content, folder)

    check()


@pytest.mark.deep("tests/unit/runtime/test_input_files.py::test_no_reader_crashes_on_a_file_that_is_nearly_right")
@pytest.mark.parametrize("noun", VALID)
def test_no_reader_crashes_on_many_files_that_are_nearly_right(
    noun: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("files")

    @given(content=_mutated(VALID[noun][2]))
    @settings(max_examples=8_000, deadline=5_000)
    def check(content: bytes) -> None:
        _assert_no_reader_crashes(noun, content, folder)

    check()


class _Program:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return sys.exit, ("it was run",)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({}, ""),
        (None, "cannot be read as weights alone"),
        (3, "holds a int; expected a state_dict"),
        ({"a": 1}, "expected a state_dict"),
        ({"a": torch.ones(2).to_sparse()}, "'a' is no array of real numbers"),
        ({"a": torch.zeros(1).expand(2**45)}, "'a' is no array of real numbers"),
        ({"a": _Program()}, "cannot be read as weights alone"),
    ],
    ids=["no weights", "an empty file", "a number", "a number by name", "a sparse tensor", "a bomb", "a program"],
)
def test_weights_that_are_none_are_told(value: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    if value is None:
        path.write_bytes(b"")
    else:
        torch.save(value, path)
    assert says in _read(load_weights, path)


@pytest.mark.parametrize("content", [b"", b"\xff" * 8 + b"{}", (100).to_bytes(8, "little") + b'{"a":', b"[" * 9_000])
def test_safetensors_that_are_none_are_told(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="not run: safetensors is not installed")
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    assert "is no safetensors file" in _read(load_weights, path)


def test_an_id_that_a_terminal_would_obey_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SPEC.replace('"mine"', r'"mine\u001b[2J"'), encoding="utf-8")
    assert r"the control character U+001B stands in 'mine\x1b[2J'" in _read(load_spec, path)


def test_a_spec_of_millions_of_letters_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SPEC.replace('title = "t"', f'title = "{"t" * 2**20}"'), encoding="utf-8")
    with pytest.raises(SpecError, match="cannot be read: it is larger than 1 MiB"):
        load_spec(path)


@pytest.mark.parametrize("size", ["99999999999999999999d", "9" * 6_000, "8193 d"])
def test_a_size_that_would_fill_the_memory_is_refused(size: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SPEC.replace('W = "d n"', f'W = "{size}"'), encoding="utf-8")
    with pytest.raises(SpecError, match="is too large a size: expected numbers up to 8192"):
        load_spec(path)


@pytest.mark.parametrize("number", ['"1e999999999"', '"1e-999999999"', '"' + "1" * 6_000 + '"', '"inf"'])
def test_a_constant_that_would_fill_the_memory_is_refused(number: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SPEC.replace("[[equations]]", f"[constants]\nalpha = {number}\n\n[[equations]]"), encoding="utf-8")
    with pytest.raises(SpecError, match="is not a number, or too long: expected for example"):
        load_spec(path)


def test_a_sum_is_refused_where_no_arithmetic_could_follow_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    sums = {terms: SPEC.replace("U h_{t-1})", "U h_{t-1}" + " + U h_{t-1}" * (terms - 2) + ")") for terms in (40, 300)}
    path.write_text(sums[40], encoding="utf-8")
    load_spec(path).program()
    path.write_text(sums[300], encoding="utf-8")
    with pytest.raises(SpecError, match="operations inside each other"):
        load_spec(path).program()


def test_what_a_record_of_others_says_reaches_neither_a_terminal_nor_xml_nor_markdown_as_it_is(tmp_path: Path) -> None:
    record = RECORD.model_copy(
        update={"outcome": Outcome.REFUTED, "reason": HOSTILE, "kernel": "k " + HOSTILE, "program": HOSTILE}
    )
    path = tmp_path / "records.jsonl"
    path.write_text(record.model_dump_json() + "\n", encoding="utf-8")
    (record_read,) = read_records(path)
    assert record_read.reason.startswith(r"\x1b[2J\x1b]0;t\x07<script>")
    write_junit(tmp_path / "j.xml", {"s " + HOSTILE: [record]})
    assert "\x1b" not in (tmp_path / "j.xml").read_text(encoding="utf-8")
    from xml.etree import ElementTree

    ElementTree.parse(tmp_path / "j.xml")
    contents = build_contents([record_read], document_statements(), [], [])
    for written in write_report(contents, tmp_path):
        text = written.read_text(encoding="utf-8")
        assert "\x1b" not in text
        if written.suffix != ".json":
            assert "<script>alert(1)" not in text
        if written.suffix in (".xml", ".svg"):
            ElementTree.parse(written)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a = " + "[" * 50_000, id="nested deeply"),
        pytest.param("a = " + "1" * 6_000, id="a number of 6,000 digits"),
        pytest.param("tool = 3", id="a number for the tools"),
        pytest.param("[tool.rnn-harness]\ncells = 3", id="a number for the cells"),
        pytest.param("\ufeff[tool.rnn-harness]\nno = 1", id="a byte-order mark and an unknown key"),
    ],
)
def test_settings_of_a_suite_that_cannot_be_read_are_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"pyproject\.toml: "):
        read_settings(tmp_path)
