"""An oracle that is wrong by one edit of its source, and how the tests that must notice it are run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import rnn_harness

PACKAGE = Path(rnn_harness.__file__).parent
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class OracleMutant:
    """One wrong oracle.

    Attributes:
        module: The file, from the package's folder on.
        old: The text that is replaced; it stands once in the file.
        new: The text that replaces it.
        killer: The test file that must fail, from the folder of the tests on.
        only: Which of its tests are run, as of pytest's ``-k``; all where empty.
    """

    module: str
    old: str
    new: str
    killer: str
    only: str = ""

    @property
    def name(self) -> str:
        """The edit on one line, for the test's id."""
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.module}: {old} -> {new}"

    def source(self) -> str:
        """Return the edited source. Raises ValueError where the text does not stand once in the file."""
        text = (PACKAGE / self.module).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.old!r} stands {text.count(self.old)} times in {self.module}, not once")
        return text.replace(self.old, self.new)

    def killing_run(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run the killer on a copy of the package with this edit.

        Args:
            folder: An empty folder for the copy.
        """
        copy = folder / "rnn_harness"
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / self.module).write_text(self.source(), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", f"tests/{self.killer}"]
        command += ["-k", self.only] if self.only else []
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300, check=False
        )
