"""Which edits of the references their tests notice: each is tried in a copy of one process that has all tests loaded.

``python -m tests.helpers.reference_mutation OUT [MODULE ...]`` collects the unit tests of the references and
the quick checks of equations once; for each edit a child process puts the edited code into the functions that are
loaded, and runs the tests until one fails. OUT gets a line of JSON for each edit; those it has are not tried again.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.helpers.reference_edits import MODULES, REFERENCES, ReferenceEdit, edits_of

PACKAGE = "rnn_harness.references"
TESTS = ("tests/unit/references", "tests/helpers/reference_equations.py")
SURVIVED, KILLED, BROKEN = 0, 10, 11
"""Exit codes of the child that tries an edit; an edit that cannot even be loaded is noticed."""
PROCESSOR_SECONDS = 120
"""An edit that needs more of the processor than all tests together do many times over runs for ever: it is noticed."""


def put_into_place(edit: ReferenceEdit) -> None:
    """Let every function of the edit's module that is loaded run the edited code.

    Args:
        edit: the edit; its module stays as it was in all but what runs.
    """
    module = importlib.import_module(f"{PACKAGE}.{edit.module}")
    fresh: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(edit.source, str(module.__file__), "exec"), fresh)
    for name, new in fresh.items():
        old = module.__dict__.get(name)
        if name.startswith("__") or getattr(new, "__module__", module.__name__) != module.__name__:
            continue
        if isinstance(old, type):
            _put_class(old, new)
        elif _code_owner(old) is not None:
            _put_code(old, new)
        else:
            _put_value(module, name, old, _loaded(new, fresh, module))


def _code_owner(value: object) -> FunctionType | None:
    """The function whose code a function or cached function runs."""
    value = getattr(value, "__wrapped__", value)
    return value if isinstance(value, FunctionType) else None


def _put_code(old: object, new: object) -> None:
    source, target = _code_owner(new), _code_owner(old)
    assert source is not None
    assert target is not None
    target.__code__, target.__defaults__, target.__kwdefaults__ = (
        source.__code__,
        source.__defaults__,
        source.__kwdefaults__,
    )
    if hasattr(old, "cache_clear"):
        old.cache_clear()


def _put_class(old: type, new: type) -> None:
    for name, value in vars(new).items():
        current = vars(old).get(name)
        if isinstance(value, property) and isinstance(current, property):
            _put_code(current.fget, value.fget)
        elif name == "__init__" and hasattr(new, "__dataclass_fields__"):
            setattr(old, name, value)
        elif isinstance(value, FunctionType) and isinstance(current, FunctionType) and not value.__closure__:
            _put_code(current, value)
        elif isinstance(value, bool | int | float | str | tuple) and not name.startswith("__"):
            setattr(old, name, value)


def _loaded(value: Any, fresh: dict[str, Any], module: ModuleType) -> Any:
    """The value with functions and classes of the edited copy exchanged for those that are loaded."""
    if isinstance(value, dict):
        return {key: _loaded(entry, fresh, module) for key, entry in value.items()}
    if isinstance(value, tuple):
        return tuple(_loaded(entry, fresh, module) for entry in value)
    name = getattr(value, "__name__", "")
    return module.__dict__[name] if name in fresh and fresh[name] is value else value


def _put_value(module: ModuleType, name: str, old: object, new: object) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        old.clear()
        old.update(new)
    elif isinstance(new, bool | int | float | str | tuple):
        setattr(module, name, new)


class Trials:
    """A plugin of pytest that, in the place of the tests, tries every edit with those that enter its function.

    Args:
        edits: the edits, in the order in which they are tried.
        out: the file that gets a line for each.
    """

    def __init__(self, edits: list[ReferenceEdit], out: Path) -> None:
        self.edits, self.out = edits, out

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try every edit; first come tests that noticed most edits of its function, then of its module, then fast ones.

        Args:
            session: the session with all tests collected.
        """
        if session.testsfailed or not session.items:
            raise pytest.UsageError("the tests of the references could not be collected")
        gc.freeze()
        answers = json.loads(_answer(lambda: _functions_entered(session.items)))
        entered, seconds = [set(functions) for functions, _ in answers], [spent for _, spent in answers]
        kills: dict[str, Counter[int]] = {}
        done = set()
        if self.out.exists():
            done = {json.loads(line)["edit"] for line in self.out.read_text(encoding="utf-8").splitlines()}
        with self.out.open("a", encoding="utf-8") as lines:
            for edit in (edit for edit in self.edits if edit.name not in done):
                counts, near = kills.setdefault(edit.module, Counter()), kills.setdefault(edit.function, Counter())
                reaching = [index for index, functions in enumerate(entered) if edit.function in functions]
                order = sorted(
                    reaching or range(len(entered)), key=lambda index: (-near[index], -counts[index], seconds[index])
                )
                start = time.perf_counter()
                answer = _answer(partial(_first_failing, [session.items[index] for index in order], edit))
                killer = None
                if answer.isdigit():
                    counts[order[int(answer)]] += 1
                    near[order[int(answer)]] += edit.function != edit.module
                    killer = session.items[order[int(answer)]].nodeid
                elif answer != "none":
                    killer = answer or "the process ended"
                row = {"module": edit.module, "edit": edit.name, "killed_by": killer, "tests": len(order)}
                lines.write(json.dumps({**row, "seconds": round(time.perf_counter() - start, 2)}) + "\n")
                lines.flush()
        return True


def _answer(question: Callable[[], str]) -> str:
    """What a copy of this process answers; empty where it ends before it does."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
        os.close(reading)
        with os.fdopen(writing, "w") as answer:
            try:
                answer.write(question())
            except BaseException as error:  # whatever goes wrong with an edit, it was noticed
                answer.write(f"{type(error).__name__}: {error}")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


def _fails(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def _first_failing(items: Sequence[pytest.Item], edit: ReferenceEdit) -> str:
    """Run tests with an edit until one fails, and return its position, or none."""
    put_into_place(edit)
    return next((str(position) for position, item in enumerate(items) if _fails(item)), "none")


def _functions_entered(items: Sequence[pytest.Item]) -> str:
    """Run all tests without an edit; return, as JSON, the functions of the references that each enters and its time."""
    entered: list[tuple[list[str], float]] = []
    modules = {str(REFERENCES / f"{module}.py"): module for module in MODULES}
    for item in items:
        functions: set[str] = set()

        def note(frame: FrameType, event: str, _: object, functions: set[str] = functions) -> None:
            if event == "call" and frame.f_code.co_filename in modules:
                function = frame.f_code.co_qualname.partition(".<locals>")[0]
                functions.add(f"{modules[frame.f_code.co_filename]}.{function}")

        start = time.process_time()
        sys.setprofile(note)
        failed = _fails(item)
        sys.setprofile(None)
        if failed:
            raise pytest.UsageError(f"{item.nodeid} fails without any edit")
        entered.append((sorted(functions), time.process_time() - start))
    return json.dumps(entered)


def main(arguments: list[str]) -> int:
    """Try the edits of the modules that are named, or of all.

    Args:
        arguments: the file for the results, then names of modules.
    """
    out, modules = Path(arguments[0]), arguments[1:] or list(MODULES)
    edits = [edit for module in modules for edit in edits_of(module)]
    options = ["-o", "addopts=--import-mode=importlib -p no:cacheprovider -p no:logging", "-q", "--no-header"]
    options += ["-s", "--tb=native", "--assert=plain"]  # what failed is not shown, so nothing is spent on it
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*options, *TESTS], plugins=[Trials(edits, out)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
