"""These tests need the libraries (pip install 'rnn-harness[libraries]'); by default Keras runs on torch.

What XLA compiles is kept in a folder of this run, for all of its processes: half of the time of JAX's cells is
compiling, and a cell that is judged in two formats, or twice, compiles much of the same.
"""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
_WORKER = "PYTEST_XDIST_WORKER"
_FOLDER = "JAX_COMPILATION_CACHE_DIR"


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder in the first process: those of pytest-xdist, and the workers of targets, inherit it."""
    if _WORKER in os.environ or _FOLDER in os.environ:
        return
    folder = tempfile.TemporaryDirectory(prefix="rnn-harness-xla-")
    config.add_cleanup(folder.cleanup)
    os.environ[_FOLDER] = folder.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
