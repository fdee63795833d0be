"""Files of weights in the formats of the libraries: nothing that a file holds is run."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.conversion import orbax_folder
from rnn_harness.errors import UsageError, first_line
from rnn_harness.validation.loading.adapters import import_library

Weights = dict[str, Array]
"""Arrays by the names that a file has for them; folders of a tree are joined by slashes."""


def read_weights(path: Path) -> Weights:
    """Read arrays by name.

    Args:
        path: ``.safetensors``, ``.pt``, ``.pth`` or ``.bin`` of torch (weights alone), ``.npz``, ``.weights.h5`` or
            ``.keras`` of Keras, ``.onnx`` (its initialisers), ``.msgpack`` of Flax, or a folder of Orbax.

    Returns:
        Arrays in the formats of the file; bfloat16 as float32.

    Raises:
        UsageError: There is no such file, or it holds something else.
    """
    is_folder = orbax_folder.is_orbax_folder(path)
    if path.is_dir() and not is_folder:
        raise UsageError(f"{path} is a folder, and no checkpoint of Orbax; expected a file of weights")
    if not path.exists():
        raise UsageError(f"there is no file of weights {path}")
    ending = orbax_folder.ENDING if is_folder else _ending(path, _READERS)
    try:
        weights = _READERS[ending](path)
    except UsageError:
        raise
    except Exception as error:  # every library has errors of its own for what is no file of its format
        raise UsageError(f"{path} cannot be read as {ending[1:]}: {first_line(error)}") from None
    if not weights:
        raise UsageError(f"{path} holds no arrays; expected weights by name")
    return weights


def write_weights(path: Path, weights: Weights) -> None:
    """Write arrays by name.

    Args:
        path: Its ending says the format: ``.safetensors``, ``.pt``, ``.pth``, ``.npz``, ``.weights.h5``, ``.msgpack``,
            or ``.orbax``, which is a folder.
        weights: Arrays by name; slashes make folders where the format has some.

    Raises:
        UsageError: The format cannot be written, or the file cannot.
    """
    ending = _ending(path, _WRITERS)
    try:
        _WRITERS[ending](path, weights)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or first_line(error)}") from None


def ensure_format_is_written(path: Path) -> None:
    """Check that weights can be written in the format of a file.

    Args:
        path: The file that is to be written.

    Raises:
        UsageError: Its format is none of those that are written, or it is a folder that is there already.
    """
    if _ending(path, _WRITERS) == orbax_folder.ENDING:
        orbax_folder.ensure_absent(path)


def is_keras_file(path: Path) -> bool:
    """Say whether a file is one in which Keras numbers the weights of a layer.

    Args:
        path: The file; its ending decides.
    """
    return path.name.endswith((".weights.h5", ".keras"))


def _ending(path: Path, known: Mapping[str, object]) -> str:
    """Return the known ending of a file's name. Raises UsageError if it has none."""
    ending = next((ending for ending in known if path.name.endswith(ending)), None)
    if ending is None:
        raise UsageError(f"{path} has none of the endings {', '.join(known)}: they say the format")
    return ending


def _flat(tree: Any, prefix: str = "") -> Weights:
    """Return the arrays of a nested dictionary by their paths."""
    if isinstance(tree, Mapping):
        rows: Weights = {}
        for key, value in tree.items():
            rows |= _flat(value, f"{prefix}/{key}" if prefix else str(key))
        return rows
    if hasattr(tree, "dtype") or isinstance(tree, np.ndarray):
        array = np.asarray(tree)
        return {prefix: array if array.dtype.kind == "f" else array.astype(np.float32)}
    return {}


def _read_torch(path: Path) -> Weights:
    import torch

    content = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise UsageError(f"{path} holds a {type(content).__name__}; expected a state_dict: tensors by name")
    return _of_tensors(content)


def _of_tensors(tensors: Mapping[Any, Any]) -> Weights:
    """Return tensors as arrays; formats that NumPy lacks as float32."""
    import torch

    rows = {str(name): value.detach() for name, value in tensors.items() if isinstance(value, torch.Tensor)}
    formats_held = (torch.float64, torch.float32, torch.float16)
    return {name: (value if value.dtype in formats_held else value.float()).numpy() for name, value in rows.items()}


def _read_safetensors(path: Path) -> Weights:
    library = import_library("safetensors.torch", "weights")
    return _of_tensors(library.load_file(path))


def _read_npz(path: Path) -> Weights:
    # NumPy leaves a file open that it opened itself and that is no archive.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
        rows = {name: content[name] for name in content.files}
    for name, value in rows.items():
        if value.dtype.kind not in "fiub":
            raise UsageError(f"{path}: {name!r} is of the format {value.dtype}; expected an array of real numbers")
    return rows


def _read_h5(path: Path | io.BytesIO) -> Weights:
    library = import_library("h5py", "keras")
    rows: Weights = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, library.Dataset):
            rows[name] = np.asarray(item)

    with library.File(path, "r") as content:
        content.visititems(take)
    return rows


def _read_keras(path: Path) -> Weights:
    with zipfile.ZipFile(path) as archive:
        return _read_h5(io.BytesIO(archive.read("model.weights.h5")))


def _read_onnx(path: Path) -> Weights:
    library = import_library("onnx", "onnx")
    model = library.load(path)
    return {tensor.name: library.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _read_msgpack(path: Path) -> Weights:
    library = import_library("flax.serialization", "flax")
    return _flat(library.msgpack_restore(path.read_bytes()))


def _tree(weights: Weights) -> dict[str, Any]:
    """Return arrays as a nested dictionary."""
    tree: dict[str, Any] = {}
    for name, value in weights.items():
        *folders, leaf = name.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[leaf] = value
    return tree


def _write_torch(path: Path, weights: Weights) -> None:
    import torch

    torch.save({name: torch.from_numpy(value) for name, value in _contiguous(weights).items()}, path)


def _write_safetensors(path: Path, weights: Weights) -> None:
    import_library("safetensors.numpy", "weights").save_file(_contiguous(weights), path)


def _write_npz(path: Path, weights: Weights) -> None:
    with path.open("wb") as stream:
        np.savez(stream, **_contiguous(weights))  # type: ignore[arg-type]  # the names are keyword arguments


def _write_h5(path: Path, weights: Weights) -> None:
    library = import_library("h5py", "keras")
    with library.File(path, "w") as content:
        for name, value in weights.items():
            content.create_dataset(name, data=value)
        content.require_group("optimizer").require_group("vars")


def _write_msgpack(path: Path, weights: Weights) -> None:
    library = import_library("flax.serialization", "flax")
    path.write_bytes(library.msgpack_serialize(_tree(_contiguous(weights))))


def _contiguous(weights: Weights) -> Weights:
    """Return the arrays in the order of rows, which some formats take for granted."""
    return {name: np.asarray(value, order="C") for name, value in weights.items()}


_READERS: dict[str, Callable[[Path], Weights]] = {
    ".safetensors": _read_safetensors,
    ".pt": _read_torch,
    ".pth": _read_torch,
    ".bin": _read_torch,
    ".npz": _read_npz,
    ".weights.h5": _read_h5,
    ".keras": _read_keras,
    ".onnx": _read_onnx,
    ".msgpack": _read_msgpack,
    orbax_folder.ENDING: lambda path: _flat(orbax_folder.read_orbax(path)),
}
_WRITERS: dict[str, Callable[[Path, Weights], None]] = {
    ".safetensors": _write_safetensors,
    ".pt": _write_torch,
    ".pth": _write_torch,
    ".npz": _write_npz,
    ".weights.h5": _write_h5,
    ".msgpack": _write_msgpack,
    orbax_folder.ENDING: lambda path, weights: orbax_folder.write_orbax(path, _tree(weights)),
}
