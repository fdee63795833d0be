"""A file may change the process that imports it: its paths, torch's default device."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from rnn_harness.validation import load_target
from rnn_harness.validation.loading.target import target_of
from rnn_harness.validation.models.judge_parts import judged_parts
from rnn_harness.validation.models.understand import understand


def test_paths_that_a_file_takes_away_are_put_back_and_those_that_it_adds_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list(sys.path)
    monkeypatch.setattr(sys, "path", list(before))
    file = tmp_path / "a_file_without_paths.py"
    file.write_text("import sys, torch\nsys.path.clear()\nsys.path.append('/of/its/own')\nCell = torch.nn.GRUCell\n")
    load_target(f"{file}:Cell")
    assert sys.path == ["/of/its/own", *before]


def test_a_layer_that_cannot_be_driven_is_not_a_part_of_itself() -> None:
    layer = next(iter(judged_parts(understand(target_of("layer", torch.nn.GRU, {"num_layers": 2})))))
    assert layer.target.name == "layer.the layer"
    assert list(judged_parts(understand(layer.target))) == []
