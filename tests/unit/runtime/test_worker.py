"""A worker's messages are plain data, and whatever it does, its end comes and everything it started ends with it."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rnn_harness.records.events import PhaseStarted, RecordMade
from rnn_harness.records.record import Record
from rnn_harness.records.verdict import Outcome
from rnn_harness.runtime.messages import LENGTH_BYTES, FrameBuffer, MessageTypes, UnreadableMessage
from rnn_harness.runtime.pipe_bytes import read_some, write_all
from rnn_harness.runtime.printed_errors import MOST_LETTERS, PrintedErrors
from rnn_harness.runtime.this_process import importing_for_good
from rnn_harness.runtime.worker import Ending, WorkerEnded, run_in_worker
from tests.helpers import HELPERS, hostile_work
from tests.helpers.hostile_work import Said

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups and no fork")


def _ended(work: Callable[[hostile_work.Send, str], None], argument: str = "", seconds: float = 60) -> list[object]:
    return list(run_in_worker(work, argument, (Said,), seconds, deadline=time.monotonic() + seconds))


def test_messages_are_what_was_sent_but_for_characters_that_no_terminal_should_get() -> None:
    types: MessageTypes[Said | RecordMade | PhaseStarted] = MessageTypes(Said, RecordMade, PhaseStarted)
    record = Record(entry="E-1", spec="s", check="c", witness="numeric", outcome=Outcome.REFUTED, bits=float("-inf"))
    for message in (Said("größer\n", 0.1), RecordMade(record), PhaseStarted("a title", "float64")):
        assert types.decode(types.encode(message)[LENGTH_BYTES:]) == message
    hostile = RecordMade(record.model_copy(update={"reason": "\x1b[31mred\ud800"}))
    decoded = types.decode(types.encode(hostile)[LENGTH_BYTES:])
    assert isinstance(decoded, RecordMade)
    assert decoded.record.reason == r"\x1b[31mred\ud800"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"null",
        b"[" * 100_000,
        b'{"type":"Said"}',
        b'{"type":"Nobody","fields":{}}',
        b'{"type":["Said"],"fields":{}}',
        b'{"type":"Said","fields":{"value":{"text":1}}}',
        b'{"type":"Said","fields":{"value":{"text":"x"},"more":1}}',
        b'{"type":"Said","fields":{"value":{"text":"x","number":"1e"}}}',
        b'{"type":"Said","fields":{"value":{"text":"\xff"}}}',
        b'{"type":"Said","fields":{"value":{"number":' + b"9" * 10_000 + b"}}}",
        b"\x80\x04cos\nmkdir\n",
    ],
    ids=lambda data: repr(data[:60]),
)
def test_anything_else_is_no_message(data: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        MessageTypes(Said).decode(data)


def test_bytes_become_messages_wherever_they_are_cut() -> None:
    types = MessageTypes(Said)
    stream = types.encode(Said("first")) + types.encode(Said("second"))
    for cut in range(len(stream)):
        buffer = FrameBuffer()
        frames = [*buffer.add(stream[:cut]), *buffer.add(stream[cut:])]
        assert [types.decode(frame).text for frame in frames] == ["first", "second"]


def test_a_message_larger_than_any_is_refused_before_it_is_read() -> None:
    with pytest.raises(UnreadableMessage, match="a message of 4294967295 bytes"):
        list(FrameBuffer().add(b"\xff" * LENGTH_BYTES))


@pytest.mark.process
@pytest.mark.parametrize(
    ("work", "sentence"),
    [
        (hostile_work.writes_no_message, "sent what is no message (ValueError in b'hello')"),
        (hostile_work.announces_too_much, "sent what is no message (a message of 4294967295 bytes)"),
    ],
)
def test_garbage_ends_a_worker(work: Callable[[hostile_work.Send, str], None], sentence: str) -> None:
    (ended,) = _ended(work)
    assert isinstance(ended, WorkerEnded)
    assert (ended.ending, ended.sentence) == (Ending.UNREADABLE, sentence)


@pytest.mark.process
def test_a_worker_looks_for_garbage_in_all_but_what_it_imported() -> None:
    before, after, kept = _ended(hostile_work.tells_what_is_looked_through)
    assert (before, after) == (Said("before", 0), Said("enabled", 1))
    assert isinstance(kept, Said)
    assert kept.number > 10_000


def test_in_this_process_imports_leave_the_search_for_garbage_as_it_was() -> None:
    kept = gc.get_freeze_count()
    for was_enabled in (True, False):
        (gc.enable if was_enabled else gc.disable)()
        try:
            with importing_for_good():
                assert not gc.isenabled()
            assert gc.isenabled() == was_enabled
        finally:
            gc.enable()
    assert gc.get_freeze_count() == kept


@pytest.mark.process
def test_part_of_a_message_is_not_waited_for_beyond_the_limit() -> None:
    (ended,) = _ended(hostile_work.writes_part_of_a_message, seconds=4)
    assert isinstance(ended, WorkerEnded)
    assert ended.ending in (Ending.TIMEOUT, Ending.TOTAL_TIMEOUT)


@pytest.mark.process
@pytest.mark.deep("tests/unit/runtime/test_worker.py::test_garbage_ends_a_worker")
def test_a_pickle_from_a_worker_runs_nothing(tmp_path: Path) -> None:
    (ended,) = _ended(hostile_work.sends_a_pickle_with_a_program, str(tmp_path / "made"))
    assert isinstance(ended, WorkerEnded)
    assert ended.ending is Ending.UNREADABLE
    assert not (tmp_path / "made").exists()


@pytest.mark.process
@pytest.mark.deep("tests/unit/runtime/test_worker.py::test_garbage_ends_a_worker")
def test_a_worker_that_closes_every_file_is_ended() -> None:
    (ended,) = _ended(hostile_work.closes_every_file)
    assert isinstance(ended, WorkerEnded)
    assert ended.sentence == "closed its pipe and did not end"


@pytest.mark.process
@pytest.mark.deep("tests/unit/runtime/test_worker.py::test_what_a_process_prints_is_printed_so_that_no_terminal_obeys")
def test_what_a_worker_prints_is_printed_so_that_no_terminal_obeys(capfd: pytest.CaptureFixture[str]) -> None:
    (ended,) = _ended(hostile_work.prints_what_a_terminal_obeys)
    assert isinstance(ended, WorkerEnded)
    assert ended.sentence == "its process ended with exit code 7"
    printed = capfd.readouterr().err
    assert printed.startswith("\\x1b[2J\\x1b]0;title\\x07 50%\n100%\nfrom below: é\n\ufffd\ufffd")
    assert printed.endswith(f"rnn-harness: more than {MOST_LETTERS} letters; the rest is left out\n")
    assert len(printed) < MOST_LETTERS + 200


def test_what_a_process_prints_is_printed_so_that_no_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    errors = PrintedErrors(multiprocessing.get_context("spawn"))
    assert errors.writer is not None
    os.write(errors.writer.fileno(), b"\x1b[2J bar 1\rbar 2\r\n\xc3")  # it ends inside a letter
    errors.start()
    errors.finish()
    assert capsys.readouterr().err == r"\x1b[2J" + " bar 1\nbar 2\n"


@pytest.mark.process
@pytest.mark.deep(
    "tests/unit/runtime/test_worker.py::test_messages_are_what_was_sent_but_for_characters_that_no_terminal_should_get"
)
def test_a_worker_tells_what_no_file_takes() -> None:
    assert _ended(hostile_work.tells) == [Said(r"fine\x1b[2J\ud800", float("inf"))]


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _all_end(processes: list[int]) -> bool:
    for _ in range(500):
        if not any(map(_is_alive, processes)):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what processes take together")
def test_processes_that_take_too_much_memory_together_end_with_their_worker() -> None:
    work = hostile_work.starts_processes_that_take_memory
    (ended,) = run_in_worker(work, 300, (Said,), 600, memory=0.7)
    assert isinstance(ended, WorkerEnded)
    assert ended.ending is Ending.OUT_OF_MEMORY
    assert re.fullmatch(r"took \d\.\d GB together with [23] processes that it started", ended.sentence)
    assert ended.may_lack_memory


@pytest.mark.process
@pytest.mark.deep(
    "tests/unit/runtime/test_worker.py::test_processes_that_take_too_much_memory_together_end_with_their_worker"
)
def test_memory_that_processes_share_counts_once() -> None:
    work = hostile_work.takes_memory_and_starts_processes_that_share_it
    assert [type(message) for message in run_in_worker(work, 300, (Said,), 600, memory=0.7)] == [Said]


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_a_child_of_a_worker_neither_hides_its_exit_nor_outlives_it(tmp_path: Path) -> None:
    path = tmp_path / "child"
    (ended,) = _ended(hostile_work.leaves_a_child_that_holds_the_pipe, str(path))
    assert isinstance(ended, WorkerEnded)
    assert ended.sentence == "its process ended with exit code 7"
    assert _all_end([int(path.read_text(encoding="ascii"))])


def _processes_of_group(group: int) -> list[int]:
    processes = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[2]) == group:
                processes.append(int(path.parent.name))
    return processes


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who comes from a worker")
def test_a_process_that_has_left_the_group_ends_with_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "child"
    messages = run_in_worker(hostile_work.hangs_with_a_child_that_has_left, str(path), (Said,), 60)
    assert next(messages) == Said("done")
    child = int(path.read_text(encoding="ascii"))
    assert _is_alive(child)
    messages.close()  # type: ignore[attr-defined]
    assert _all_end([child])


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the environment of a process")
def test_a_process_that_has_left_a_worker_which_has_ended_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "child"
    (ended,) = _ended(hostile_work.leaves_a_child_of_another_session_and_exits, str(path))
    assert isinstance(ended, WorkerEnded)
    assert ended.sentence == "its process ended with exit code 7"
    assert _all_end([int(path.read_text(encoding="ascii"))])
    assert "RNN_HARNESS_WORKER" not in os.environ


@pytest.mark.process
def test_a_worker_has_no_pipe_to_others_than_the_process_that_waits() -> None:
    # Its end of that of messages, one in which its own end shows, and one in which it sees the end of its parent.
    assert _ended(hostile_work.tells_its_pipes) == [Said("pipes", 3)]


@pytest.mark.process
@pytest.mark.deep("tests/unit/runtime/test_worker.py::test_a_worker_has_no_pipe_to_others_than_the_process_that_waits")
def test_a_worker_gets_semaphores_of_its_own() -> None:
    assert _ended(hostile_work.uses_semaphores) == [Said("locked")]


def test_pipes_are_read_and_written_where_they_have_no_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has such pipes: what it would run is run here, on the pipes of this system."""
    receiver, sender = multiprocessing.get_context("spawn").Pipe(duplex=False)
    monkeypatch.setattr("rnn_harness.runtime.pipe_bytes.sys.platform", "win32")
    data = bytes(range(256)) * 300
    writing = threading.Thread(target=write_all, args=(sender, data))
    writing.start()
    read = read_some(receiver)
    while len(read) < len(data):
        read += read_some(receiver)
    writing.join()
    assert read == data
    sender.close()
    assert read_some(receiver) == b""


def test_an_exit_is_seen_where_the_system_cannot_look_at_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """MacOS has no `os.waitid` before Python 3.13."""
    monkeypatch.delattr(os, "waitid")
    (ended,) = _ended(hostile_work.closes_every_file_and_exits)
    assert isinstance(ended, WorkerEnded)
    assert ended.sentence == "its process ended with exit code 5"


def _assert_all_ends_with_the_parent(signal_number: int, tmp_path: Path) -> None:
    path = tmp_path / "child"
    command = [sys.executable, "-m", "tests.helpers.hostile_work", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HELPERS.parents[1]
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        child = int(path.read_text(encoding="ascii"))
        assert _is_alive(worker)
        assert _is_alive(child)
        os.kill(parent.pid, signal_number)
        assert _all_end([worker, child])
        assert parent.communicate(timeout=60)[0] == ""  # nobody holds its streams
    assert _all_end(_processes_of_group(worker))


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_a_worker_and_its_children_end_where_the_parent_is_killed(tmp_path: Path) -> None:
    _assert_all_ends_with_the_parent(signal.SIGKILL, tmp_path)


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
@pytest.mark.deep("tests/unit/runtime/test_worker.py::test_a_worker_and_its_children_end_where_the_parent_is_killed")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"])
def test_a_worker_and_its_children_end_where_the_parent_ends_by(name: str, tmp_path: Path) -> None:
    _assert_all_ends_with_the_parent(getattr(signal, name), tmp_path)
