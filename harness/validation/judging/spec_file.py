"""A user's spec file without a reference: its equations, their bounds and the derived backward are the oracle."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rnn_harness.errors import UsageError
from rnn_harness.kernels import Kernel
from rnn_harness.kernels.spec_signature import SpecSignature
from rnn_harness.specs import Spec, library, load_spec
from rnn_harness.validation.cells.parameter_blocks import BlockMap, ParameterBlock, StorageForm
from rnn_harness.validation.identification.probe import D, N
from rnn_harness.validation.judging.candidate_kernel import spec_kernel
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.target import Target

Shapes = Mapping[str, tuple[int, ...]]


def load_spec_file(path: str) -> Spec:
    """Load a spec without its reference, whose place the candidate takes.

    Args:
        path: The TOML file.

    Raises:
        SpecError: The file is no spec.
        UsageError: It defines no cell.
    """
    spec = load_spec(Path(path), library().specs)
    if not spec.is_cell:
        raise UsageError(f"{path} defines no cell: nothing can be validated against it")
    return replace(spec, model=spec.model.model_copy(update={"reference": None}))


def spec_file_kernel(target: Target, spec: Spec, dtypes: tuple[str, ...]) -> Kernel:
    """Make a kernel of a candidate that is compared with a spec file.

    Args:
        target: The candidate.
        spec: The spec of the file.
        dtypes: Those in which it is judged, if it takes them.

    Raises:
        UsageError: Their states or their parameters do not fit together.
    """
    n, d = target.capabilities.fixed_sizes or (N, D)
    module = in_evaluation(target.make_module(n, d).double())
    convention = find_convention(module, n, d, target.capabilities.calling_convention)
    signature = SpecSignature(spec)
    if convention.states != len(signature.state_names):
        states = ", ".join(signature.state_names) or "none"
        raise UsageError(f"{target.name} is {convention}, but {spec.id} has the states {states}")
    shapes = {name: tuple(value.shape) for name, value in module.named_parameters()}
    table = match_parameters(spec.id, shapes, signature.parameter_shapes(n, d))
    output = spec.program().outputs[0].name
    names = signature.state_names
    driver = TargetDriver(target.make_module, convention, table, names, target.capabilities, output_name=output)
    return spec_kernel(target, spec, driver, dtypes)


def match_parameters(spec_id: str, module_shapes: Shapes, spec_shapes: Shapes) -> BlockMap:
    """Match every parameter of a spec with the module's of the same name, or else with the only one of its shape.

    A matrix may be transposed.

    Args:
        spec_id: The spec's id, for messages.
        module_shapes: The shapes of the module's parameters, by name.
        spec_shapes: The shapes of the spec's parameters, by name.

    Raises:
        UsageError: A parameter has no counterpart, or several; the message lists both sides.
    """
    blocks: list[ParameterBlock] = []
    forms: dict[str, StorageForm] = {}
    for name, shape in spec_shapes.items():
        fitting = [parameter for parameter, its_shape in module_shapes.items() if its_shape in (shape, shape[::-1])]
        namesakes = [parameter for parameter in fitting if _plain(parameter) == _plain(name)]
        chosen = namesakes or fitting
        if len(chosen) != 1:
            raise UsageError(
                f"no parameter of the module is {name} of {spec_id}. The spec has {_listed(spec_shapes)}; the module "
                f"has {_listed(module_shapes)}. Give the module's parameters the names of the spec"
            )
        is_transposed = len(shape) == 2 and module_shapes[chosen[0]] != shape
        forms[chosen[0]] = StorageForm(turned=is_transposed, vector=len(shape) == 1)
        blocks.append(ParameterBlock(chosen[0], name, 0, 1))
    used = [block.parameter for block in blocks]
    spare = sorted(set(module_shapes) - set(used))
    doubled = sorted({parameter for parameter in used if used.count(parameter) > 1})
    if spare or doubled:
        raise UsageError(f"{spec_id} has no parameter for {', '.join(spare or doubled)} of the module")
    return BlockMap(tuple(blocks), tuple(forms.items()))


def _plain(name: str) -> str:
    """Reduce a name to what two spellings of it share."""
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("weight").removesuffix("data")


def _listed(shapes: Shapes) -> str:
    """List names with shapes."""
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())
