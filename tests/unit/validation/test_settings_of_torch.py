"""What a script sets for all of torch where it is imported, gradients off or a device, says nothing about its cells."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest
import torch

from rnn_harness.errors import UsageError
from rnn_harness.validation.loading.locate import import_place


@pytest.mark.parametrize("end", ["", "sys.exit(1)"], ids=["it is imported", "it cannot be imported"])
def test_gradients_are_on_again_where(end: str, tmp_path: Path) -> None:
    path = tmp_path / "script_without_gradients.py"
    path.write_text(f"import sys\nimport torch\ntorch.set_grad_enabled(False)\n{end}\n", encoding="utf-8")
    with contextlib.suppress(UsageError):
        import_place(str(path))
    assert torch.is_grad_enabled()


def test_gradients_that_were_off_before_stay_off(tmp_path: Path) -> None:
    path = tmp_path / "script_of_nothing.py"
    path.write_text("import torch\n", encoding="utf-8")
    with torch.no_grad():
        import_place(str(path))
        assert not torch.is_grad_enabled()


@pytest.mark.parametrize("device", ["meta", "cuda"], ids=["that computes nothing", "that may be missing here"])
def test_tensors_are_on_the_cpu_after_an_import_that_sets_a_default_device(device: str, tmp_path: Path) -> None:
    path = tmp_path / "script_on_a_device.py"
    path.write_text(f"import torch\ntorch.set_default_device({device!r})\n", encoding="utf-8")
    import_place(str(path))
    assert torch.zeros(1).device == torch.device("cpu")


def test_what_stands_in_the_place_of_torch_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    path = tmp_path / "script_without_torch.py"
    path.write_text("import sys\nsys.modules['torch'] = sys\n", encoding="utf-8")
    assert import_place(str(path)).sys is sys
