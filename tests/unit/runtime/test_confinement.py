"""A confined process has no network, writes to no file, and cannot undo that; the result says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.records.events import RecordMade
from rnn_harness.records.record import Record
from rnn_harness.records.validation import outcome_of
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.worker import Ending, WorkerEnded
from rnn_harness.validation import ValidationRequest, isolation, run_validation_isolated

TRIES_ALL = """
import ctypes, os, socket, sys, tempfile
from rnn_harness.runtime.confinement import confine

try:
    confine()
except OSError as error:
    print("NOT LENT", error)
    sys.exit()


def attempt(name, call):
    try:
        call()
        print(name)
    except OSError as error:
        print(name, "refused")


attempt("write", lambda: open(sys.argv[1], "w"))
attempt("connect", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), 5))
attempt("scratch", lambda: tempfile.TemporaryFile())
attempt("device", lambda: open(os.devnull, "w"))
library = ctypes.CDLL(None)
attributes = (ctypes.c_uint64 * 4)(0, 1, 0, 0)
print("cleared", library.syscall(442, -100, b"/", 0x8000, attributes, 32))
print("mounted again", library.mount(None, b"/", None, 32 | 4096, None))
attempt("write", lambda: open(sys.argv[1], "w"))
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="there are no namespaces")
def test_a_confined_process_reads_alone_and_cannot_undo_that(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", TRIES_ALL, str(tmp_path / "file"), str(server.getsockname()[1])]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    if printed[0].startswith("NOT LENT"):
        pytest.skip(f"not run: {printed[0]}")
    refused = ["write refused", "connect refused", "scratch", "device"]
    assert printed == [*refused, "cleared -1", "mounted again -1", "write refused"]
    assert not (tmp_path / "file").exists()


AGREES = Record(
    entry="gru.keep.column",
    spec="gru.keep.column",
    check="consistency.rows",
    witness="kernel",
    outcome=Outcome.AGREES,
    kernel="cells.py:Cell",
)
REQUEST = ValidationRequest("cells.py:Cell", dtypes=("float32",), is_confined=True)


def test_the_result_says_that_a_cell_was_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def sent(*arguments: object) -> list[RecordMade]:
        asked.append(arguments[-2] is True)
        return [RecordMade(AGREES), RecordMade(AGREES.model_copy(update={"check": "process.confined", "reason": "no"}))]

    monkeypatch.setattr(isolation, "run_in_worker", sent)
    records = [event.record for event in run_validation_isolated(REQUEST) if isinstance(event, RecordMade)]
    assert asked == [True]
    assert [record.check for record in records] == ["consistency.rows", "process.confined"]
    assert records[1].reason == "its process had no network, and could write to no file but in memory"
    assert outcome_of(records[1:]) == "undecided", "that decides nothing about the cell"


def test_where_the_system_does_not_lend_that_the_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = WorkerEnded(Ending.NOT_CONFINED, "could not be confined: unshare: Operation not permitted")
    monkeypatch.setattr(isolation, "run_in_worker", lambda *_: [ended])
    with pytest.raises(UsageError, match=r"cells\.py:Cell could not be confined: unshare: .*: leave out --confine"):
        list(run_validation_isolated(REQUEST))
