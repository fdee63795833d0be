"""Every kernel that this machine has is the one asked for, and agrees with its equations in each of its formats."""

from __future__ import annotations

import warnings

import pytest

from rnn_harness.checks import Check
from rnn_harness.engine.runner import Runner, RunPlan
from rnn_harness.kernels import DIFFERENT_BY_A_FLAG, Kernel, Setting, all_kernels, choose_kernels
from rnn_harness.kernels.judge import kernel_cases, kernel_checks, profile_kernel

PAIRS = [(kernel, setting) for kernel in all_kernels() for setting in kernel.settings if setting.device == "cpu"]
NARROW = ("bfloat16", "float16")
NARROW_IN_DEFAULT = {
    "fused/rnn.tanh": ("float16",),
    "fused/gru.write.concatenated": ("bfloat16",),
}
"""One fused kernel with and one without gates; Triton's interpreter takes seconds for each narrow format."""
FUSED_IN_DEFAULT = {
    "rnn.tanh": ("float64", "float32"),
    "gru.reset_after": ("float64", "float32"),
    "lstm.peephole": ("float32",),
}
"""The fused kernels of the default run: one of each family, that of the LSTM in the format of its users."""
OF_EVERY_FAMILY = ("rnn.sigma", "gru.sigma", "lstm.peephole")
"""The specs of which the default run tries what is written in torch in narrow formats."""


def _takes_long(kernel: Kernel, setting: Setting) -> bool:
    """Say whether the default run has another kernel of the same code in place of this one."""
    match kernel.id.split("/")[0]:
        case "split":
            return True
        case "fused" if kernel.spec in DIFFERENT_BY_A_FLAG:
            return True
        case "fused":
            if setting.dtype in NARROW:
                return setting.dtype not in NARROW_IN_DEFAULT.get(kernel.id, ())
            return setting.dtype not in FUSED_IN_DEFAULT.get(kernel.spec, ())
        case "compiled":  # half a minute for the first one, where no compiled code is kept from another run
            return True
        case "eager" | "function":
            return setting.dtype in NARROW and kernel.spec not in OF_EVERY_FAMILY
    return False


DEEP = [pair for pair in PAIRS if _takes_long(*pair)]
DEFAULT = [pair for pair in PAIRS if pair not in DEEP]
NAMES = ("precision.format", "backward.bound", "backward.shares", "backward.entries")


def _checks(setting: Setting) -> tuple[Check, ...]:
    return tuple(check for check in kernel_checks() if check.name in NAMES and setting.dtype in check.dtypes)


def _names(pairs: list[tuple[Kernel, Setting]]) -> list[str]:
    return [f"{kernel.id} in {setting.dtype}" for kernel, setting in pairs]


def _assert_agreement(kernel: Kernel, setting: Setting) -> None:
    if kernel.known_wrong:
        pytest.skip("known to be wrong, and tested to be refuted")
    reason = kernel.not_run_reason(setting)
    if reason:
        pytest.skip(f"not run: {reason}")
    runner = Runner(
        kernel.subject(setting),
        RunPlan(_checks(setting), dtype=setting.dtype),
        lambda case: kernel.evaluation(setting, case),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, about the layout of weights and old flags
        assert profile_kernel(kernel, setting).mismatch(kernel.expected_events, kernel.forbidden_events) == ""
        counted = sum(runner.try_case(case) for case in kernel_cases(kernel, setting))
    assert counted, f"every case was vacuous: {runner.results().vacuous_reasons}"
    assert runner.results().refuted == {}


@pytest.mark.parametrize(("kernel", "setting"), DEFAULT, ids=_names(DEFAULT))
def test_a_kernel_is_the_one_asked_for_and_agrees_with_its_equations(kernel: Kernel, setting: Setting) -> None:
    _assert_agreement(kernel, setting)


@pytest.mark.deep("tests/power/test_agreement.py::test_a_kernel_is_the_one_asked_for_and_agrees_with_its_equations")
@pytest.mark.parametrize(("kernel", "setting"), DEEP, ids=_names(DEEP))
def test_a_kernel_that_takes_long_or_shares_its_code_agrees_with_its_equations(
    kernel: Kernel, setting: Setting
) -> None:
    _assert_agreement(kernel, setting)


def test_a_name_that_is_no_kernel_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(ValueError, match=r"no kernel 'nn\.LTSM'; did you mean nn"):
        choose_kernels(("nn.LTSM",))


def test_kernels_are_chosen_by_id_by_the_beginning_of_it_and_by_spec() -> None:
    assert [kernel.id for kernel in choose_kernels(("nn.GRU/native",))] == ["nn.GRU/native"]
    assert {kernel.id.split("/")[0] for kernel in choose_kernels(("eager",))} == {"eager"}
    assert {kernel.spec for kernel in choose_kernels(("lstm.peephole",))} == {"lstm.peephole"}


def test_ids_are_unique_and_every_variant_of_the_documents_that_torch_lacks_has_five_kernels() -> None:
    ids = [kernel.id for kernel in all_kernels()]
    assert len(ids) == len(set(ids))
    lacking = {kernel.spec for kernel in all_kernels() if kernel.id.startswith("eager/")}
    for prefix in ("function/", "compiled/"):
        assert {kernel.spec for kernel in all_kernels() if kernel.id.startswith(prefix)} == lacking
    for prefix in ("fused/", "split/", "fused-tf32x3/", "split-tf32x3/", "fused-tf32/", "split-tf32/"):
        assert {kernel.spec for kernel in all_kernels() if kernel.id.startswith(prefix)} > lacking
