"""Files of weights and models whose bytes are wrong: a sentence says so, and no error of the harness comes of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from rnn_harness.conversion.weight_files import read_weights
from rnn_harness.errors import UsageError
from rnn_harness.runtime.worker import WorkerEnded, run_in_worker
from rnn_harness.validation.judging.trained_weights import load_weights
from tests.helpers.read_models import ModelFiles, ModelRead, read_models

WEIGHTS = {"weight": torch.arange(12.0).reshape(3, 4), "bias": torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)}


def _mutated(data: bytes, source: random.Random) -> bytes:
    """A file with up to four places overwritten, cut out, doubled, or cut off."""
    edited = bytearray(data)
    for _ in range(source.randint(1, 4)):
        start = source.randrange(len(edited) + 1)
        end = min(len(edited), start + source.choice((0, 1, 1, 4, 16, 200)))
        kind = source.randrange(5)
        if kind == 0:
            edited[start:end] = source.randbytes(end - start)
        elif kind == 1:
            del edited[start:end]
        elif kind == 2:
            edited[start:start] = edited[start:end]
        elif kind == 3:
            edited[start:end] = source.choice((b"\xff" * 8, b"\x00" * 8, b"9" * 30, (2**62).to_bytes(8, "little")))
        else:
            del edited[start:]
    return bytes(edited)


def _save_torch(path: Path) -> None:
    torch.save(WEIGHTS, path)


def _save_safetensors(path: Path) -> None:
    pytest.importorskip("safetensors.torch", reason="not run: safetensors is not installed").save_file(WEIGHTS, path)


def _save_npz(path: Path) -> None:
    np.savez(path, weight=WEIGHTS["weight"].numpy(), bias=WEIGHTS["bias"].numpy())


def _save_h5(path: Path) -> None:
    with pytest.importorskip("h5py", reason="not run: h5py is not installed").File(path, "w") as file:
        for name, value in WEIGHTS.items():
            file[f"cell/{name}"] = value.numpy()


def _save_msgpack(path: Path) -> None:
    serialization = pytest.importorskip("flax.serialization", reason="not run: flax is not installed")
    path.write_bytes(serialization.msgpack_serialize({name: value.numpy() for name, value in WEIGHTS.items()}))


SAVERS = {"pt": _save_torch, "safetensors": _save_safetensors}
CONVERTED = SAVERS | {"npz": _save_npz, "weights.h5": _save_h5, "msgpack": _save_msgpack}
"""The files that `convert` reads."""


def _read_mutated(
    save: Callable[[Path], None],
    ending: str,
    count: int,
    folder: Path,
    read: Callable[[Path], object] = load_weights,
) -> Iterator[str]:
    """What is said of files of weights that are nearly right; empty where they can be read."""
    path = folder / f"weights.{ending}"
    save(path)
    right, source = path.read_bytes(), random.Random(f"{ending} {count}")
    for _ in range(count):
        path.write_bytes(_mutated(right, source))
        try:
            read(path)
        except UsageError as error:
            yield str(error)
        else:
            yield ""


@pytest.mark.parametrize("ending", SAVERS)
def test_weights_that_are_nearly_right_are_read_or_told(ending: str, tmp_path: Path) -> None:
    sentences = list(_read_mutated(SAVERS[ending], ending, 60, tmp_path))
    assert sum(map(bool, sentences)) > 10, "the files were not wrong"


@pytest.mark.deep("tests/unit/runtime/test_binary_files.py::test_weights_that_are_nearly_right_are_read_or_told")
@pytest.mark.parametrize("ending", SAVERS)
def test_many_weights_that_are_nearly_right_are_read_or_told(ending: str, tmp_path: Path) -> None:
    assert len(list(_read_mutated(SAVERS[ending], ending, 20_000, tmp_path))) == 20_000


@pytest.mark.parametrize("ending", ["npz"])
def test_weights_to_convert_that_are_nearly_right_are_read_or_told(ending: str, tmp_path: Path) -> None:
    sentences = list(_read_mutated(CONVERTED[ending], ending, 60, tmp_path, read_weights))
    assert sum(map(bool, sentences)) > 10, "the files were not wrong"


@pytest.mark.deep(
    "tests/unit/runtime/test_binary_files.py::test_weights_to_convert_that_are_nearly_right_are_read_or_told"
)
@pytest.mark.parametrize("ending", CONVERTED)
def test_many_weights_to_convert_that_are_nearly_right_are_read_or_told(ending: str, tmp_path: Path) -> None:
    assert len(list(_read_mutated(CONVERTED[ending], ending, 10_000, tmp_path, read_weights))) == 10_000


@pytest.mark.parametrize("value", [np.array(["a", "b"]), np.array([1j])], ids=["texts", "complex numbers"])
def test_arrays_to_convert_that_are_no_real_numbers_are_told(value: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", weight=value)
    with pytest.raises(UsageError, match=f"'weight' is of the format {value.dtype}; expected an array of real"):
        read_weights(tmp_path / "weights.npz")


@pytest.mark.process
@pytest.mark.deep("tests/unit/runtime/test_binary_files.py::test_weights_that_are_nearly_right_are_read_or_told")
def test_models_that_are_nearly_right_are_loaded_or_told(tmp_path: Path) -> None:
    """A runtime may end its process over a model: then the next file is read in another."""
    pytest.importorskip("onnx", reason="not run: onnx is not installed")
    from tests.helpers.onnx_nodes import model_that_turns_inputs_over

    right, source = model_that_turns_inputs_over().SerializeToString(), random.Random(18)
    paths = tuple(tmp_path / f"{number}.onnx" for number in range(600))
    for path in paths:
        path.write_bytes(_mutated(right, source))
    outcomes: list[str] = []
    while len(outcomes) < len(paths):
        remaining = ModelFiles(tuple(map(str, paths[len(outcomes) :])))
        outcomes += [
            message.sentence if isinstance(message, WorkerEnded) else message.outcome
            for message in run_in_worker(read_models, remaining, (ModelRead,), timeout=60)
        ]
    counted = {kind: sum(outcome.startswith(kind) for outcome in outcomes) for kind in ("loaded", "told", "error")}
    assert counted["error"] == 0, [outcome for outcome in outcomes if outcome.startswith("error")][:3]
    assert counted["loaded"] > 10
    assert counted["told"] > 100
