"""What fills a virtual environment: uv where there is one, else pip."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from rnn_harness.errors import NotRun

LAST_LINES = 5
"""Lines of an installer's output that a reason holds: pip says in the last ones what is wrong."""


class EnvironmentNotMade(NotRun):
    """A virtual environment could not be made: nothing in it is judged."""


def install_command(python: Path, arguments: Sequence[str]) -> list[str]:
    """Return the command that installs packages into an environment.

    Args:
        python: The interpreter of the environment.
        arguments: What follows ``install``, as pip and uv take it.

    Raises:
        EnvironmentNotMade: There is neither uv nor pip.
    """
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", str(python), *arguments]
    try:
        distribution("pip")
    except PackageNotFoundError:
        reason = "neither uv nor pip is there to install packages: python -m ensurepip, or install uv"
        raise EnvironmentNotMade(reason) from None
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    return [sys.executable, "-m", "pip", "--python", str(python), "install", *quiet, *arguments]


def run_installer(command: Sequence[str], seconds: float) -> None:
    """Run a command that makes or fills an environment.

    Args:
        command: The program and its arguments.
        seconds: How long it may take.

    Raises:
        EnvironmentNotMade: It fails; the reason holds its last lines.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentNotMade(f"{' '.join(command)}: not done after {seconds:g} s") from None
    except OSError as error:
        raise EnvironmentNotMade(f"{' '.join(command)}: {error.strerror}") from None
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise EnvironmentNotMade(f"{' '.join(command)}: {' / '.join(lines[-LAST_LINES:])}")


def requirement_of_this_package() -> str:
    """Return what installs this package into another environment: the folder that it was installed from, else its name.

    Raises:
        EnvironmentNotMade: It is not installed, so that nothing says where it comes from.
    """
    try:
        installed = distribution("rnn-harness")
    except PackageNotFoundError:
        raise EnvironmentNotMade(
            "rnn-harness is not installed here, so it cannot be installed elsewhere: pip install it, or say "
            "system_site_packages = true"
        ) from None
    source = installed.read_text("direct_url.json")
    if source is None:
        return f"rnn-harness=={installed.version}"
    return f"rnn-harness @ {json.loads(source)['url']}"
