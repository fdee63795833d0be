"""A program that another one waits for ends with it, whatever ends that."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnn_harness.runtime.end_with_parent import ending_with_this_process

ENOUGH = 20.0
"""Seconds within which a process that was killed is gone, also on a busy machine."""

STARTS_A_PROGRAM = """
import os, signal, subprocess, sys
from rnn_harness.runtime.end_with_parent import ending_with_this_process
program = subprocess.Popen(["sleep", "60"], text=True, start_new_session=True)
with ending_with_this_process(program):
    print(program.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(process: str) -> bool:
    """Say whether a process runs; one that has ended and that nobody asked for does not."""
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.process
def test_the_program_of_a_process_that_is_killed_ends() -> None:
    done = subprocess.run([sys.executable, "-c", STARTS_A_PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == -9
    until = time.monotonic() + ENOUGH
    while is_running(done.stdout.strip()) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(done.stdout.strip())


@pytest.mark.process
def test_a_program_that_is_no_longer_waited_for_goes_on() -> None:
    with subprocess.Popen(["sleep", "60"], text=True, start_new_session=True) as program:
        with ending_with_this_process(program):
            pass
        assert program.poll() is None
        program.kill()
