"""What `hk.transform` gives is driven as a step or a model, modules that map their rows themselves as what they are."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.init_and_apply import InitAndApplyAdapter, sizes_of_pair
from rnn_harness.validation.loading.adapters.jax_models import JaxModelModule

pytest.importorskip("haiku")


def _transformed(name: str) -> Any:
    from tests.helpers import haiku_transformed

    return getattr(haiku_transformed, name)


def test_a_step_with_an_argument_that_is_called_state_is_driven_in_its_own_size() -> None:
    pair = _transformed("step")
    assert "state" not in inspect.signature(pair.apply).parameters  # Haiku takes it for its own
    assert sizes_of_pair(pair) == (5, 7)
    driven = InitAndApplyAdapter().drive(pair, 5, 7, {})
    assert any("lstm" in name for name, _ in driven.module.named_parameters())


@pytest.mark.parametrize(("name", "vocabulary", "core"), [("classifier", 0, "LSTM"), ("language_model", 11, "GRU")])
def test_a_function_of_a_sequence_is_a_model_whose_cores_are_found(name: str, vocabulary: int, core: str) -> None:
    driven = InitAndApplyAdapter().drive(_transformed(name), 5, 3, {})
    assert isinstance(driven.module, JaxModelModule)
    assert driven.module.model_inputs.vocabulary == vocabulary
    (part,) = driven.module.held_parts
    assert (part.class_name, part.sizes) == (core, (5, 6))


def test_a_module_of_equinox_that_maps_its_rows_is_given_a_batch() -> None:
    equinox, jax = pytest.importorskip("equinox"), pytest.importorskip("jax")
    from rnn_harness.validation.loading.adapters.jax_modules import takes_batches

    class OfRows(equinox.Module):  # type: ignore[name-defined]
        cell: Any

        def __call__(self, xs: Any) -> Any:
            return jax.lax.scan(lambda h, x: (self.cell(x, h),) * 2, jax.numpy.zeros(3), xs)[1]

    class OfBatches(OfRows):
        def __call__(self, xs: Any) -> Any:
            return jax.vmap(super().__call__)(xs)

    cell = equinox.nn.GRUCell(5, 3, key=jax.random.PRNGKey(0))
    assert not takes_batches(jax, OfRows(cell), CellSizes(5, 3))
    assert takes_batches(jax, OfBatches(cell), CellSizes(5, 3))


def test_a_tagger_of_nnx_that_takes_tokens_is_called() -> None:
    nnx = pytest.importorskip("flax.nnx")
    from rnn_harness.validation.loading.adapters.jax_modules import NnxAdapter

    class Tagger(nnx.Module):  # type: ignore[name-defined]
        def __init__(self, rngs: Any) -> None:
            self.embed = nnx.Embed(11, 5, rngs=rngs)
            self.rnn = nnx.RNN(nnx.LSTMCell(5, 3, rngs=rngs))

        def __call__(self, tokens: Any) -> Any:
            return self.rnn(self.embed(tokens))

    driven = NnxAdapter().drive(Tagger(nnx.Rngs(0)), 5, 3, {})
    assert isinstance(driven.module, JaxModelModule)
    assert driven.module.model_inputs.vocabulary == 11
