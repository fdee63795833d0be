"""Cells of any library and form are driven, and what they lack is reported."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest

import rnn_harness
from rnn_harness.array_types import Array
from rnn_harness.validation import (
    ValidationRequest,
    collect_validation,
    identify,
    load_target,
    run_validation,
    target_of,
)
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading import adapters
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, import_library
from rnn_harness.validation.loading.adapters.array_bridge import (
    ArrayArguments,
    ArrayLibraryModule,
    ArrayResults,
    flat_arguments,
)
from tests.helpers import HELPERS

FILE = HELPERS / "functions.py"


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
def test_right_cells_agree_and_missing_gradients_are_not_run(name: str, options: dict[str, Any]) -> None:
    validation = collect_validation(
        name,
        run_validation(load_target(f"{FILE}:{name}", options), ValidationRequest(examples=0, dtypes=("float64",))),
    )
    assert validation.outcome == "agrees", [r.reason for r in validation.checks if str(r.outcome) == "refuted"]
    gradients = {
        str(r.outcome) for r in validation.checks if r.check.startswith("backward.") and r.check != "backward.shares"
    }
    assert gradients <= {"not run"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f"{FILE}:nothing", "arguments named like an input (x), a state (h, c) and parameters are expected"),
        (f"{FILE}:init_lstm", "expected a module of torch, Keras, flax or equinox"),
    ],
)
def test_a_target_that_cannot_be_driven_is_refused_with_what_is_expected(target: str, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        load_target(target)


def test_an_unknown_adapter_is_refused_with_the_names_of_the_known() -> None:
    with pytest.raises(ValueError, match=r"there is no adapter 'theano'; there are keras, flax.linen, flax.nnx"):
        load_target(f"{FILE}:OneVector", adapter_name="theano")


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [("keras", "KerasAdapter", "keras"), ("flax.nnx", "NnxAdapter", "flax"), ("equinox", "EquinoxAdapter", "equinox")],
)
def test_a_missing_library_is_reported_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=rf"is not installed .*pip install 'rnn-harness\[{extra}\]'"):
        import_library(module, extra)
    assert name in {type(adapter).__name__ for adapter in adapters.all_adapters()}


class Doubled:
    """A cell of a library that we do not know."""

    def __init__(self, n: int, d: int) -> None:
        self.w = np.ones((d, n + d))


class Lazy(Doubled):
    """A cell that learns its input size when it is called, as those of Keras and Flax do."""

    def __init__(self, units: int) -> None:
        self.units = units

    def build(self, n: int) -> None:
        """Make the weights."""
        self.w = np.ones((self.units, n + self.units))


class DoubledAdapter:
    """An adapter as another package would offer it."""

    name = "doubled"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        return issubclass(cell_type, Doubled)

    def defaults(self, cell_type: type) -> Mapping[str, object]:
        return {}

    def drive(self, cell: Doubled, n: int, d: int, options: Mapping[str, object]) -> DrivenModule:
        if isinstance(cell, Lazy):
            cell.build(n)

        def run(parameters: Mapping[str, Array], arguments: ArrayArguments, differentiate: bool) -> ArrayResults:
            x, h = flat_arguments(arguments)
            return ArrayResults([np.tanh(np.concatenate([x, h], 1) @ parameters["w"].T)])

        return DrivenModule(
            ArrayLibraryModule(run, {"w": cell.w}, differentiable=False),
            TargetCapabilities(no_gradients_reason="none are offered", library="doubled"),
        )


def test_an_adapter_of_another_package_comes_in_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("doubled", f"{__name__}:DoubledAdapter", adapters.ENTRY_POINT_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: DoubledAdapter)
    monkeypatch.setattr(adapters, "entry_points", lambda group: (entry,))
    adapters.all_adapters.cache_clear()
    try:
        for cell in (Doubled, Lazy):
            (match,) = rnn_harness.identify(cell)
            assert "simple RNN: tanh activation; no bias; weights on [x, h]" in match.sentence()
            assert target_of("cell", cell).capabilities.fixed_sizes is None, "it exists for any sizes"
    finally:
        monkeypatch.undo()
        adapters.all_adapters.cache_clear()


def test_an_entry_point_that_gives_no_adapter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
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
