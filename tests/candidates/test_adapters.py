"""Whatever it is made of, it is driven; and what it lacks is said."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnn_harness
from rnn_harness.validation import ValidationRequest, collect, identify, load_target, validating
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading import adapters
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule

FILE = Path(__file__).parent / "functions.py"


@pytest.mark.parametrize(
    ("name", "options", "spec", "phrases"),
    [
        ("gru_step", {}, "gru.keep.column", ("update, reset, candidate", "weights transposed")),
        ("lstm_step", {"params": "init_lstm"}, None, ("1 is added to the forget gate", "two states as a tuple")),
        ("torch_gru", {}, "gru.reset_after", ("reset, update, candidate", "two biases a gate")),
        ("OneVector", {}, None, ("one vector at a time", "before the input", "no bias")),
    ],
)
def test_functions_and_objects_are_identified(
    name: str, options: dict[str, Any], spec: str | None, phrases: tuple[str, ...]
) -> None:
    (match,) = identify(load_target(f"{FILE}:{name}", options))
    assert match.spec == spec
    assert all(phrase in match.sentence() for phrase in phrases), match.sentence()


@pytest.mark.parametrize(
    ("name", "options"), [("gru_step", {}), ("lstm_step", {"params": "init_lstm"}), ("OneVector", {})]
)
def test_right_ones_agree_and_what_has_no_gradients_is_not_blamed_for_it(name: str, options: dict[str, Any]) -> None:
    found = collect(name, validating(load_target(f"{FILE}:{name}", options), ValidationRequest(examples=0)))
    assert found.outcome == "agrees", [r.reason for r in found.checks if str(r.outcome) == "refuted"]
    gradients = {
        str(r.outcome) for r in found.checks if r.check.startswith("backward.") and r.check != "backward.shares"
    }
    assert gradients <= {"not run"}


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (f"{FILE}:nothing", "arguments named like an input (x), a state (h, c) and parameters are expected"),
        (f"{FILE}:init_lstm", "expected a module of torch, Keras, flax or equinox"),
    ],
)
def test_what_cannot_be_driven_says_what_is_expected(target: str, told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("(", r"\(").replace(")", r"\)")):
        load_target(target)


def test_an_adapter_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"there is no adapter 'theano'; there are keras, flax.linen, flax.nnx"):
        load_target(f"{FILE}:OneVector", adapter_name="theano")


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [("keras", "KerasAdapter", "keras"), ("flax.nnx", "NnxAdapter", "flax"), ("equinox", "EquinoxAdapter", "equinox")],
)
def test_a_library_that_is_missing_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, extra: str
) -> None:
    from rnn_harness.validation.loading.adapters import adapter as _adapter

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=rf"is not installed .*pip install 'rnn-harness\[{extra}\]'"):
        _adapter.import_library(module, extra)
    assert name in {type(one).__name__ for one in adapters.all_adapters()}


class Doubled:
    """Somebody's own kind of cell."""

    def __init__(self, n: int, d: int) -> None:
        self.w = np.ones((d, n + d))


class DoubledAdapter:
    """An adapter as another package would offer it."""

    name = "doubled"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        return cell_type is Doubled

    def defaults(self, cell_type: type) -> Mapping[str, Any]:
        return {}

    def drive(self, cell: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        def run(parameters: Any, arguments: Any, differentiate: bool) -> Any:
            x, h = arguments
            return [np.tanh(np.concatenate([x, h], 1) @ parameters["w"].T)], None

        return DrivenModule(
            ArrayLibraryModule(run, {"w": cell.w}, False),
            TargetCapabilities(no_gradients_reason="none are offered", library="doubled"),
        )


def test_an_adapter_of_another_package_comes_in_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("doubled", f"{__name__}:DoubledAdapter", adapters.ENTRY_POINT_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: DoubledAdapter)
    monkeypatch.setattr(adapters, "entry_points", lambda group: (entry,))
    adapters.all_adapters.cache_clear()
    try:
        (match,) = rnn_harness.identify(Doubled)
        assert "simple RNN: tanh activation; no bias; weights on [x, h]" in match.sentence()
    finally:
        monkeypatch.undo()
        adapters.all_adapters.cache_clear()


def test_an_adapter_that_is_none_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("broken", "somewhere:Thing", adapters.ENTRY_POINT_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: dict)
    monkeypatch.setattr(adapters, "entry_points", lambda group: (entry,))
    adapters.all_adapters.cache_clear()
    try:
        with pytest.raises(ValueError, match="adapter broken of somewhere:Thing is none"):
            adapters.all_adapters()
    finally:
        monkeypatch.undo()
        adapters.all_adapters.cache_clear()
