"""Work that reads models out of files, in a process of its own: a runtime may end it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

from rnn_harness.errors import UsageError
from rnn_harness.runtime import this_process


@dataclass(frozen=True)
class ModelFiles:
    """What is to be read.

    Attributes:
        paths: Files of ONNX models.
    """

    paths: tuple[str, ...]


@dataclass(frozen=True)
class ModelRead:
    """What came of a file.

    Attributes:
        outcome: ``loaded``, ``told: ...`` or ``error: ...``.
    """

    outcome: str


def read_models(send: Callable[[ModelRead], None], files: ModelFiles) -> None:
    """Load every model, and probe it as a cell, within one gigabyte beyond what is loaded already.

    Args:
        send: Takes what came of each.
        files: What is read.
    """
    from rnn_harness.validation.identification.probe import probe_target
    from rnn_harness.validation.loading.target import load_target

    this_process.limit_memory(8)
    warnings.simplefilter("ignore")
    for path in files.paths:
        try:
            probe_target(load_target(path))
        except UsageError as error:
            send(ModelRead(f"told: {error}"[:200]))
        except Exception as error:
            send(ModelRead(f"error: {type(error).__name__}: {error} in {path}"))
        else:
            send(ModelRead("loaded"))
