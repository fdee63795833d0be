"""Cells that are made of a configuration, alone or beside their sizes."""

from __future__ import annotations

import pytest

from rnn_harness.errors import UsageError
from rnn_harness.validation import identify, load_target
from rnn_harness.validation.loading.config_objects import RecordedConfiguration
from tests.helpers import configured_cells

CELLS = configured_cells.__file__


@pytest.mark.parametrize(
    ("name", "options", "spec"),
    [
        ("OfWidthAndArguments", {}, "gru.reset_after"),
        ("OfSizesAndHyperparameters", {}, "rnn.tanh"),
        ("OfOptions", {}, "rnn.relu"),
    ],
)
def test_a_cell_of_sizes_and_a_configuration_is_made(name: str, options: dict[str, str], spec: str) -> None:
    (match, *_) = identify(load_target(f"{CELLS}:{name}", options))
    assert spec in (match.spec, f"rnn.{match.model.candidate}")


def test_a_configuration_that_is_named_goes_in_beside_the_sizes() -> None:
    (match, *_) = identify(load_target(f"{CELLS}:OfSizesAndHyperparameters", {"hparams": "with_relu"}))
    assert match.model.candidate == "relu"


def test_what_a_configuration_lacks_is_named_with_the_option_that_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(configured_cells, "options")
    with pytest.raises(UsageError) as raised:
        load_target(configured_cells.OfOptions.__module__ + ":OfOptions")
    assert "the configuration has no kind_of_function" in str(raised.value)
    assert "--init opt=NAME" in str(raised.value)


def test_a_recorded_configuration_has_sizes_under_any_name_that_ends_as_sizes_do() -> None:
    configuration = RecordedConfiguration(5, 3)
    assert configuration["FC_DIM_SIZE"] == 3 == configuration.rnn_hidden_dim
    assert configuration.obs_dim == 5 == configuration.emb
    assert configuration["vocab"] == 3
    assert configuration.drop_prob_lm == 0.0
    assert configuration.num_layers == 1
    assert "use_layer_norm" not in configuration
    assert configuration.get("activation") is None
