"""Every kernel that this machine has is the one asked for, and agrees with its equations in each of its formats."""

from __future__ import annotations

import warnings

import pytest

from rnn_harness.engine.runner import Runner, RunPlan
from rnn_harness.kernels import Kernel, Setting, choose, kernels
from rnn_harness.kernels.judge import cases_of, kernel_checks, observe

PAIRS = [(kernel, setting) for kernel in kernels() for setting in kernel.settings if setting.device == "cpu"]
NAMES = ("precision.format", "backward.bound", "backward.shares", "backward.entries")


def _checks(setting: Setting) -> tuple:  # type: ignore[type-arg]
    return tuple(one for one in kernel_checks() if one.name in NAMES and setting.dtype in one.dtypes)


@pytest.mark.parametrize(("kernel", "setting"), PAIRS, ids=[f"{k.id} in {s.dtype}" for k, s in PAIRS])
def test_a_kernel_is_the_one_asked_for_and_agrees_with_its_equations(kernel: Kernel, setting: Setting) -> None:
    if kernel.known_wrong:
        pytest.skip("known to be wrong, and tested to be refuted")
    reason = kernel.missing(setting)
    if reason:
        pytest.skip(f"not run: {reason}")
    runner = Runner(
        kernel.subject(setting),
        RunPlan(_checks(setting), dtype=setting.dtype),
        lambda case: kernel.evaluation(setting, case),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, about the layout of weights and old flags
        assert observe(kernel, setting).differs(kernel.expects, kernel.never) == ""
        counted = sum(runner.try_case(case) for case in cases_of(kernel, setting))
    assert counted, f"every case was vacuous: {runner.results().vacuous_reasons}"
    assert runner.results().refuted == {}


def test_a_name_that_is_no_kernel_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(ValueError, match=r"no kernel 'nn\.LTSM'; near: nn\.RNNCell"):
        choose(("nn.LTSM",))


def test_kernels_are_chosen_by_id_by_the_beginning_of_it_and_by_spec() -> None:
    assert [one.id for one in choose(("nn.GRU/native",))] == ["nn.GRU/native"]
    assert {one.id.split("/")[0] for one in choose(("eager",))} == {"eager"}
    assert {one.spec for one in choose(("lstm.peephole",))} == {"lstm.peephole"}


def test_ids_are_unique_and_every_variant_of_the_documents_that_torch_lacks_has_three_kernels() -> None:
    ids = [one.id for one in kernels()]
    assert len(ids) == len(set(ids))
    lacking = {one.spec for one in kernels() if one.id.startswith("eager/")}
    for prefix in ("function/", "compiled/"):
        assert {one.spec for one in kernels() if one.id.startswith(prefix)} == lacking
