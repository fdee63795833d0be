"""Virtual environments for the packages of a suite: each is made once, by what it shall hold, and used again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import site
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rnn_harness.errors import UsageError
from rnn_harness.matrix.installers import (
    EnvironmentNotMade,
    install_command,
    requirement_of_this_package,
    run_installer,
)
from rnn_harness.matrix.suite import EnvironmentPlan
from rnn_harness.runtime.atomic_file import write_whole
from rnn_harness.runtime.file_lock import FileLock

SECONDS_TO_INSTALL = 3600.0
"""How long one installation may take; torch alone may be gigabytes."""
SECONDS_TO_ASK = 300.0
"""How long an interpreter may take to say which packages it sees."""
_SECONDS_BETWEEN_LOOKS = 0.5
_COMPLETE = "complete.json"
"""The file that stands in an environment whose installation came to its end."""
_BASE_PACKAGES = "rnn_harness_base.pth"
_LIST_PACKAGES = (
    "import importlib.metadata as m, json;"
    "print(json.dumps({d.metadata['Name'].lower().replace('_', '-'): d.version"
    " for d in reversed(list(m.distributions())) if d.metadata['Name']}))"
)
"""Prints the distributions that an interpreter sees; of two versions the first on its path counts."""


@dataclass(frozen=True)
class Environment:
    """An environment in which targets can be judged.

    Attributes:
        name: Its name in the suite.
        python: Its interpreter.
        versions: The version of every distribution that it sees, by its name in small letters with ``-``.
        variables: Environment variables of its processes, besides those of this process.
    """

    name: str
    python: Path
    versions: dict[str, str]
    variables: dict[str, str]

    def version_of(self, package: str) -> str:
        """Return the version of a distribution; empty where the environment has none of that name.

        Args:
            package: Its name, as pip takes it.
        """
        return self.versions.get(package.lower().replace("_", "-"), "")

    def process_variables(self) -> dict[str, str]:
        """Return all environment variables of a process there; ``PYTHONPATH`` would stand before its packages."""
        inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
        return {**inherited, **self.variables}


def this_environment(name: str) -> Environment:
    """Return the environment that this program runs in.

    Args:
        name: Its name in suites.
    """
    path = os.environ.get("PYTHONPATH")
    python = Path(sys.executable)
    variables = {} if path is None else {"PYTHONPATH": path}
    return Environment(name, python, _versions_seen_by(python, dict(os.environ)), variables)


def make_environment(name: str, plan: EnvironmentPlan, folder: Path, suite_folder: Path) -> Environment:
    """Make an environment, unless it is there already.

    Args:
        name: Its name in the suite.
        plan: What it shall hold.
        folder: Where environments are kept.
        suite_folder: The folder of the suite, beside which its file of constraints stands.

    Raises:
        EnvironmentNotMade: It cannot be made, for the reason that pip or uv gives.
        UsageError: The folder cannot be written.
    """
    place = folder / f"{name}-{_digest(plan, suite_folder)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make environments in {folder}: {error.strerror}") from None
    with _locked(place):
        if not (place / _COMPLETE).is_file():
            _fill(place, plan, suite_folder)
    python = _interpreter(place)
    versions = json.loads((place / _COMPLETE).read_text(encoding="utf-8"))
    return Environment(name, python, versions, plan.variables)


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Hold the lock of an environment; another run that makes it is waited for."""
    until = time.monotonic() + SECONDS_TO_INSTALL
    while True:
        try:
            lock = FileLock(place)
            break
        except UsageError:
            if time.monotonic() > until:
                raise
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    with lock:
        yield


def _fill(place: Path, plan: EnvironmentPlan, suite_folder: Path) -> None:
    """Make an environment anew and install what it shall hold. Raises EnvironmentNotMade."""
    shutil.rmtree(place, ignore_errors=True)
    try:
        venv.EnvBuilder(symlinks=sys.platform != "win32", with_pip=False).create(place)
    except (OSError, subprocess.CalledProcessError) as error:
        raise EnvironmentNotMade(f"no virtual environment can be made in {place}: {error}") from None
    python = _interpreter(place)
    arguments = ["--no-deps"] if plan.no_dependencies else []
    if plan.constraints:
        arguments += ["-c", str(suite_folder / plan.constraints)]
    if plan.system_site_packages:
        _show_base_packages(place)
        pins = place / "base.txt"
        pins.write_text("".join(f"{pin}\n" for pin in _base_pins()), encoding="utf-8")
        arguments += ["-c", str(pins)]
    else:
        run_installer(install_command(python, [requirement_of_this_package()]), SECONDS_TO_INSTALL)
    if plan.requires:
        run_installer(install_command(python, [*arguments, *plan.requires]), SECONDS_TO_INSTALL)
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    write_whole(place / _COMPLETE, json.dumps(_versions_seen_by(python, variables), indent=1))


def _base_pins() -> list[str]:
    """Pin torch at the version that the base has: another one is gigabytes, and the program was tried with this one."""
    try:
        return [f"torch=={version('torch').partition('+')[0]}"]
    except PackageNotFoundError:
        return []


def _show_base_packages(place: Path) -> None:
    """Let an environment see the packages of the one that this program runs in, behind those of its own.

    ``--system-site-packages`` of venv would show those of the interpreter that this environment was made from.
    """
    folders = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    lines = [f"import site; site.addsitedir({folder!r})" for folder in folders]
    lines += [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    (_site_packages(place) / _BASE_PACKAGES).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _site_packages(place: Path) -> Path:
    """Return the folder of an environment that holds its packages."""
    if sys.platform == "win32":
        return place / "Lib" / "site-packages"
    return place / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _interpreter(place: Path) -> Path:
    """Return the interpreter of an environment."""
    return place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _versions_seen_by(python: Path, variables: dict[str, str]) -> dict[str, str]:
    """Return the versions of the distributions that an interpreter sees. Raises EnvironmentNotMade."""
    try:
        done = subprocess.run(
            [str(python), "-c", _LIST_PACKAGES],
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_ASK,
            env=variables,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        versions: dict[str, str] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise EnvironmentNotMade(f"{python} does not say which packages it sees: {error}") from None
    return versions


def _digest(plan: EnvironmentPlan, suite_folder: Path) -> str:
    """Return a digest of all that decides what an environment holds."""
    constraints = (suite_folder / plan.constraints).read_bytes() if plan.constraints else b""
    base = [sys.prefix, os.environ.get("PYTHONPATH", ""), *_base_pins()] if plan.system_site_packages else []
    parts = [plan.model_dump(exclude={"variables"}), sys.version, base, hashlib.sha256(constraints).hexdigest()]
    return hashlib.sha256(json.dumps(parts).encode("utf-8")).hexdigest()[:12]
