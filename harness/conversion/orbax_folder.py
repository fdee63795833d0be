"""Weights in a checkpoint of Orbax, which is a folder; nothing that it holds is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError
from rnn_harness.validation.loading.adapters import import_library

ENDING = ".orbax"
"""How the name of a folder ends that is written; one that is read may have any name."""
_MARKS = ("_METADATA", "_CHECKPOINT_METADATA", "checkpoint")
"""A checkpoint holds one of these files."""


def is_orbax_folder(path: Path) -> bool:
    """Say whether a folder is a checkpoint of Orbax.

    Args:
        path: The folder.
    """
    return path.is_dir() and any((path / mark).is_file() for mark in _MARKS)


def read_orbax(path: Path) -> Any:
    """Read the tree of arrays of a checkpoint.

    Args:
        path: Its folder: that of a tree of arrays, and not one above it that numbers the steps of a training.

    Raises:
        UsageError: It holds no tree of arrays.
    """
    library = import_library("orbax.checkpoint", "flax")
    checkpointer = library.PyTreeCheckpointer()
    tree = checkpointer.metadata(path.resolve()).item_metadata
    if tree is None:
        names = ", ".join(sorted(item.name for item in path.iterdir())[:8])
        raise UsageError(f"{path} is no tree of arrays of Orbax; expected the folder of one item; it holds {names}")
    held = attribute(tree, "tree", object)
    as_numpy = _leaves_as(tree if held is None else held, library.RestoreArgs(restore_type=np.ndarray))
    return checkpointer.restore(path.resolve(), restore_args=as_numpy)


def _leaves_as(tree: Any, leaf: Any) -> Any:
    """Return a tree of the same form with one object at every leaf."""
    return {key: _leaves_as(value, leaf) for key, value in tree.items()} if isinstance(tree, Mapping) else leaf


def write_orbax(path: Path, tree: Mapping[str, object]) -> None:
    """Write a tree of arrays as a checkpoint.

    Args:
        path: A folder that is not there yet.
        tree: Arrays in dictionaries of dictionaries.

    Raises:
        UsageError: There is something of that name.
    """
    ensure_absent(path)
    import_library("orbax.checkpoint", "flax").PyTreeCheckpointer().save(path.resolve(), _owned(tree))


def _owned(tree: Any) -> Any:
    """Return a tree whose arrays lie in the order of rows."""
    if isinstance(tree, Mapping):
        return {key: _owned(value) for key, value in tree.items()}
    array: Array = np.array(tree, order="C")
    return array


def ensure_absent(path: Path) -> None:
    """Check that nothing would be written over: a folder may hold more than a checkpoint.

    Args:
        path: The folder that is to be written.

    Raises:
        UsageError: There is something of that name, or no folder to make it in.
    """
    if path.exists():
        raise UsageError(f"cannot write {path}: there is something of that name; give a name that is free")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {path.parent}; make it first")
