"""A spec file that nobody wrote a reference for: its equations, their bounds and derived backward are the oracle.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rnn_harness.errors import UsageError
from rnn_harness.kernels import Kernel
from rnn_harness.kernels.setting import settings
from rnn_harness.kernels.spec_signature import SpecSignature
from rnn_harness.specs import Spec, library, load_spec
from rnn_harness.validation.cells.parameter_blocks import BlockMap, ParameterBlock, StorageForm
from rnn_harness.validation.identification.probe import D, N
from rnn_harness.validation.judging.usage_checks import FOREIGN, MANNERS, SMALL
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.target import Target


def load_paper(path: str) -> Spec:
    """The spec of a file, without a reference: the candidate takes its place. Raises SpecError, UsageError."""
    spec = load_spec(Path(path), library().specs)
    if not spec.is_cell:
        raise UsageError(f"{path} defines no cell: nothing can be validated against it")
    return replace(spec, model=spec.model.model_copy(update={"reference": None}))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("weight").removesuffix("data")


def pieces(spec: Spec, shapes: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]) -> BlockMap:
    """Every parameter of the spec is the module's of the same name, or the only one of its shape, turned if need be.

    Raises UsageError that lists both sides.
    """
    found, forms = [], {}
    for name, shape in wanted.items():
        fitting = [one for one, own in shapes.items() if own in (shape, shape[::-1])]
        named = [one for one in fitting if _plain(one) == _plain(name)]
        chosen = named or (fitting if len(fitting) == 1 else [])
        if len(chosen) != 1:
            ours = ", ".join(f"{one} {own}" for one, own in wanted.items())
            theirs = ", ".join(f"{one} {own}" for one, own in shapes.items())
            raise UsageError(
                f"no parameter of the module is {name} of {spec.id}. The spec has {ours}; the module has {theirs}. "
                "Give the module's parameters the names of the spec"
            )
        turned = len(shape) == 2 and shapes[chosen[0]] != shape
        forms[chosen[0]] = StorageForm(turned=turned, vector=len(shape) == 1)
        found.append(ParameterBlock(chosen[0], name, 0, 1))
    used = [piece.parameter for piece in found]
    spare = sorted(set(shapes) - set(used))
    twice = sorted({one for one in used if used.count(one) > 1})
    if spare or twice:
        raise UsageError(f"{spec.id} has no parameter for {', '.join(spare or twice)} of the module")
    return BlockMap(tuple(found), tuple(forms.items()))


def paper_kernel(target: Target, spec: Spec, dtypes: tuple[str, ...]) -> Kernel:
    """The candidate as a kernel of a spec of one's own. Raises UsageError where the two do not fit together."""
    n, d = target.capabilities.fixed_sizes or (N, D)
    module = target.make_module(n, d).double().eval()
    convention = find_convention(module, n, d, target.capabilities.calling_convention)
    like = SpecSignature(spec)
    if convention.states != len(like.state_names):
        raise UsageError(
            f"{target.name} is {convention}, but {spec.id} has the states {', '.join(like.state_names) or 'none'}"
        )
    shapes = {name: tuple(value.shape) for name, value in module.named_parameters()}
    table = pieces(spec, shapes, like.parameter_shapes(n, d))
    driver = TargetDriver(target.make_module, convention, table, like.state_names, target.capabilities)
    fixed = {"n": n, "d": d, "B": 2} if target.capabilities.fixed_sizes else None
    title = f"held against {spec.path}"
    return Kernel(
        target.name,
        title,
        spec.id,
        lambda _: driver,
        settings(tuple(dtype for dtype in dtypes if dtype in target.capabilities.dtypes)),
        fixed_sizes=fixed,
        custom_spec=spec,
        own_checks=MANNERS,
        skipped_checks=(*SMALL, *(FOREIGN if target.capabilities.library else ())),
        shrinks_refutations=False,
        profiled=False,
    )
