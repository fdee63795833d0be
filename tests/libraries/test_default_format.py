"""JAX's default format is that of a thread: two cells that run side by side do not change each other's."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.jax_functions import import_jax

pytest.importorskip("jax")


def test_the_default_format_of_one_thread_is_not_that_of_another() -> None:
    jax = import_jax()
    is_single, is_read = threading.Event(), threading.Event()

    def compute_in_float32() -> None:
        with default_format(jax, double=False):
            is_single.set()
            is_read.wait(60)

    other = threading.Thread(target=compute_in_float32)
    with default_format(jax, double=True):
        other.start()
        assert is_single.wait(60)
        assert jax.numpy.zeros(3).dtype == np.float64
    is_read.set()
    other.join()
    with default_format(jax, double=False):
        assert jax.numpy.zeros(3).dtype == np.float32
    assert jax.numpy.zeros(3).dtype == np.float64
