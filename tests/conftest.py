"""What all tests share: Hypothesis's profiles, deep tests, tests with processes of their own, Triton's interpreter."""

from __future__ import annotations

import fcntl
import functools
import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import torch
import typer.main
import typer.testing

from tests.helpers.work_here import do_work_here, leave_metamorphic_out, validate_in_float64

if not torch.cuda.is_available():
    # Triton asks for its interpreter when it is imported.
    os.environ.setdefault("TRITON_INTERPRET", "1")

hypothesis.settings.register_profile("default", max_examples=25, derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("deep", max_examples=1000, print_blob=True, deadline=None, database=None)
hypothesis.settings.load_profile("default")

# For every call of a command typer's runner reads the annotations of the functions of all commands.
vars(typer.testing)["_get_command"] = functools.cache(typer.main.get_command)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--deep``."""
    parser.addoption("--deep", action="store_true", help="run the deep tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave deep tests out unless they are asked for, and begin with those that start processes.

    pytest-xdist gives each worker a run of neighbours: tests that take turns belong to one, or the others wait.
    """
    unstable = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if unstable:  # each worker of pytest-xdist would have its own
        raise pytest.UsageError(f"the id of a test holds an address; give its parameters ids: {unstable[0]}")
    deep = [] if config.getoption("--deep") else [item for item in items if item.get_closest_marker("deep")]
    if deep:
        config.hook.pytest_deselected(items=deep)
        items[:] = [item for item in items if not item.get_closest_marker("deep")]
    items.sort(key=lambda item: item.get_closest_marker("process") is None)


@hypothesis.given(hypothesis.strategies.booleans())
@hypothesis.settings(max_examples=1)
def _draw_once(_: bool) -> None:
    """Let Hypothesis make its source of randomness."""


def pytest_collection_finish() -> None:
    """Keep the garbage collector from walking over torch and sympy again and again: they stay to the end."""
    _draw_once()  # Hypothesis 6.100 asks the collector who holds its source, which is silent about what is frozen
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _one_process_test_at_a_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold a lock during a test marked ``process``: its time limits mean what they say on a busy machine, too."""
    if request.node.get_closest_marker("process") is None:
        yield
        return
    path = Path(tempfile.gettempdir()) / f"rnn-harness-process-tests-{os.getuid()}.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def in_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do the work of workers in this process, but for tests marked ``process``."""
    if request.node.get_closest_marker("process") is None:
        do_work_here(monkeypatch)


@pytest.fixture
def in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validate in float64 and on fixed cases alone, for tests of what is made of a validation."""
    validate_in_float64(monkeypatch)


@pytest.fixture
def equations_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the metamorphic properties out of the default run, but for tests marked ``all_checks``."""
    if not request.config.getoption("--deep") and request.node.get_closest_marker("all_checks") is None:
        leave_metamorphic_out(monkeypatch)
