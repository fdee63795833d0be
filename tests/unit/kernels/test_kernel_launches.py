"""How Triton kernels are launched: compiled once for all numbers of steps and rows, on the device of their tensors."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from rnn_harness.kernels import drivers
from rnn_harness.kernels.drivers.fused.driver import run_sequence
from rnn_harness.kernels.drivers.split import launch as launch_module
from rnn_harness.kernels.drivers.split.launch import SplitLaunch
from rnn_harness.kernels.drivers.split.layout import Layout
from rnn_harness.references import get_reference

KERNELS = [
    pytest.param(folder, family, direction, id=f"{folder} {family} {direction}")
    for folder in ("fused", "split")
    for family in ("rnn", "gru", "lstm")
    for direction in ("forward", "backward")
]
IN_EVERY_LAUNCH = {"fused": {"T", "B"}, "split": {"T", "B", "begin", "end", "first_tile"}}
"""What changes from call to call: Triton would compile a kernel again where such a number is 1 or a multiple of 16."""


@pytest.mark.parametrize(("folder", "family", "direction"), KERNELS)
def test_a_kernel_is_compiled_once_for_all_numbers_of_steps_and_rows(folder: str, family: str, direction: str) -> None:
    (place,) = drivers.__path__
    tree = ast.parse((Path(place) / folder / f"{family}_kernels.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    function = functions[f"{family}_{direction}"]
    (decorator,) = function.decorator_list
    assert isinstance(decorator, ast.Call)
    keywords = {keyword.arg: ast.literal_eval(keyword.value) for keyword in decorator.keywords}
    assert set(keywords["do_not_specialize"]) == IN_EVERY_LAUNCH[folder]
    assert set(keywords["do_not_specialize"]) <= {argument.arg for argument in function.args.args}


@pytest.mark.parametrize("d", [1, 16, 17, 100])
@pytest.mark.parametrize("family", ["rnn", "gru", "lstm"])
def test_a_kernel_sees_a_multiple_of_16_units_and_the_caller_those_that_were_asked_for(family: str, d: int) -> None:
    launched: list[tuple[str, int]] = []

    class Recording:
        def run(
            self,
            name: str,
            tensors: tuple[torch.Tensor, ...],
            lengths: torch.Tensor | None,
            sizes: tuple[int, int, int],
            precision: str,
            **flags: bool,
        ) -> None:
            assert {tensor.shape[-1] for tensor in tensors} == {sizes[2]}
            assert all(tensor.is_contiguous() for tensor in tensors)
            launched.append((name, sizes[2]))

    reference = get_reference(family)
    shapes = reference.parameter_shapes(3, d)
    parameters = {name: torch.rand(shape, requires_grad=True) for name, shape in shapes.items()}
    states = {name: torch.rand(2, d, requires_grad=True) for name in reference.state_names}
    outputs, finals = run_sequence(Recording(), reference, parameters, torch.rand(4, 2, 3), states, None, "ieee")
    assert {tuple(final.shape) for final in finals.values()} == {(2, d)}
    assert outputs.shape == (4, 2, d)
    assert outputs.is_contiguous()
    outputs.sum().backward()
    assert launched == [(f"{family}_{part}", -(-d // 16) * 16) for part in ("forward", "backward")]
    assert {name: tuple(value.grad.shape) for name, value in parameters.items() if value.grad is not None} == shapes


@pytest.mark.parametrize("interpreted", [False, True], ids=["whole on a GPU", "step by step in the interpreter"])
def test_a_split_kernel_is_launched_with_the_device_of_its_tensors_current(
    interpreted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("triton", reason="not run: triton is not installed")
    current: list[Any] = []
    launched: list[list[Any]] = []

    @contextlib.contextmanager
    def device_of(tensor: torch.Tensor) -> Iterator[None]:
        current.append(tensor.device)
        yield
        current.pop()

    class Recording:
        fn = device_of

        def __getitem__(self, grid: tuple[int, int]) -> Any:
            return lambda *arguments, **options: launched.append(list(current))

    monkeypatch.setattr(torch.cuda, "device_of", device_of)
    monkeypatch.setattr(launch_module, "is_interpreted", lambda: interpreted)
    tensors = (torch.ones(2, 33, 4),)
    SplitLaunch(Recording(), tensors, None, (2, 33, 4), "ieee", {}, 1, is_backward=False).run(Layout(8, 8, 16), 2)
    assert len(launched) == 2  # a step each in the interpreter; two tiles of rows and one on a GPU
    assert all(devices == [torch.device("cpu")] for devices in launched)
    assert not current
