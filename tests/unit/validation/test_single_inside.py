"""What computes in float32 though it takes float64 is identified by its runs in float32."""

from __future__ import annotations

from rnn_harness.validation import load_target
from rnn_harness.validation.identification.identify import identify
from rnn_harness.validation.identification.probe import probe_target
from rnn_harness.validation.judging.observed_habits import probe_in_own_format, with_observed_habits
from tests.helpers import HELPERS


def test_rounding_inside_is_taken_for_no_mistake() -> None:
    target = load_target(f"{HELPERS / 'single_inside.py'}:SingleInside")
    probe = probe_target(target)
    observed = with_observed_habits(target, probe)
    assert probe_in_own_format(target, probe) is probe
    assert observed.capabilities.is_single_inside
    single = probe_in_own_format(observed, probe)
    assert single.dtype == "float32"
    assert [cell.spec for cell in identify(observed, single)] == ["gru.reset_after"]
