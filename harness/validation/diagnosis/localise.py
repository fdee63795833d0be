"""A cell that is right on generic numbers, and refuted all the same: which part is at fault, and when.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN_SINGLE
from rnn_harness.array_types import Array
from rnn_harness.cases.case import Case
from rnn_harness.cases.fixed_cases import fixed_cases
from rnn_harness.checks.check import compare_with_balls
from rnn_harness.errors import NotRun
from rnn_harness.evaluation.evaluation import Evaluation
from rnn_harness.kernels import Kernel, Setting
from rnn_harness.records.record import Record
from rnn_harness.records.validation import Diagnosis
from rnn_harness.records.verdict import Outcome
from rnn_harness.validation.diagnosis.faults import NAMES

_WHEN: tuple[tuple[str, Callable[[Case], bool]], ...] = (
    ("B = 1", lambda case: case.B == 1),
    ("B > 1", lambda case: case.B > 1),
    ("n = d", lambda case: case.n == case.d),
    ("d = 1", lambda case: case.d == 1),
    ("n = 1", lambda case: case.n == 1),
    ("there is one step", lambda case: case.T == 1),
    ("there is more than one step", lambda case: case.T > 1),
    ("there are more than two steps", lambda case: case.T > 2),
    ("there are more than three steps", lambda case: case.T > 3),
    ("inputs are large", lambda case: "large" in case.features),
    ("inputs are exactly zero", lambda case: "zeros" in case.features),
    ("batch rows are equal", lambda case: "equal rows" in case.features),
    ("gates are saturated", lambda case: "saturated" in case.features),
)
_MANNERS = {
    "behaviour.determinism": "the same call twice gives other numbers",
    "behaviour.intact": "its arguments are changed",
    "behaviour.position": "a row's output depends on the other rows of the batch",
    "behaviour.strided": "inputs that do not lie next to each other in memory are read wrongly",
    "behaviour.expanded": "inputs that share memory are read wrongly",
    "behaviour.poison": "what stands past a row's length is read",
    "behaviour.state-between-calls": "a state is kept between calls",
    "behaviour.training": "training mode computes something else",
    "behaviour.no-grad": "without gradients its outputs are less precise",
    "behaviour.frozen-parameters": "gradients get lost or differ where not everything wants one",
    "behaviour.default-state": "called without a state it does not start from zeros",
    "behaviour.state-dict": "something is not in its state_dict",
    "behaviour.formats": "what comes out has another dtype or device",
    "behaviour.large-inputs": "large inputs give what is not finite",
    "behaviour.non-finite-rows": "NaN or infinity in one row changes others",
    "behaviour.step-by-step": "step by step it computes something else than in one call",
}


def _cases(spec: str, fixed: dict[str, int] | None) -> Iterator[Case]:
    """Cases that differ in one thing from a plain one, and plain ones."""
    base = Case(spec=spec, T=2, B=2).model_copy(update=fixed or {})
    changes: list[dict[str, object]] = [{}, {"B": 3}, {"T": 3}, {"T": 1}, {"T": 4}, {"B": 1}, {"n": 4, "d": 4}]
    changes += [{"d": 1}, {"n": 1}, {"features": ("large",)}, {"features": ("zeros",)}]
    changes += [{"features": ("equal rows",)}, {"features": ("saturated",), "scale": 2.0}]
    for seed, change in enumerate(changes):
        if not fixed or not {"n", "d"} & set(change):
            yield base.model_copy(update={"seed": seed, **change})
    if not fixed:
        yield from (case.model_copy(update={"dtype": "float64"}) for case in fixed_cases(spec))


def localise_fault(kernel: Kernel, records: list[Record]) -> Diagnosis | None:
    """The diagnosis of what was refuted, or None if nothing was."""
    refuted = [record for record in records if record.outcome is Outcome.REFUTED]
    if not refuted:
        return None
    setting = next((one for one in kernel.settings if any(r.dtype == one.dtype for r in refuted)), kernel.settings[0])
    names = {record.check for record in refuted}
    ended = next((record for record in refuted if record.check in ("process.ended", "kernel.dispatch")), None)
    if ended is not None:
        return Diagnosis(spec=kernel.spec, part="behaviour: it cannot be run", difference=ended.reason)
    # A cell that changes its arguments, or remembers, is wrong in every number after that.
    for name in ("behaviour.intact", "behaviour.state-between-calls", "behaviour.determinism"):
        if name in names:
            return _manner(kernel, name)
    found = _forward(kernel, setting, refuted) or _backward(kernel, setting)
    if found is not None:
        return found
    coarse = _coarse(kernel, refuted)
    if coarse is not None:
        return coarse
    for name in _MANNERS:
        if name in names:
            return _manner(kernel, name)
    reached = next((record for record in refuted if record.check.startswith("scale.")), None)
    if reached is not None:
        part = "backward" if "gradient" in reached.reason else "forward"
        return Diagnosis(spec=kernel.spec, part=f"{part}: {reached.check.partition('.')[2]}", difference=reached.reason)
    first = refuted[0]
    return Diagnosis(spec=kernel.spec, part=f"{first.check}", difference=first.reason)


def _manner(kernel: Kernel, name: str) -> Diagnosis:
    return Diagnosis(
        spec=kernel.spec,
        part=f"behaviour: {name.partition('.')[2].replace('-', ' ').replace('_', ' ')}",
        difference=_MANNERS[name],
    )


def _forward(kernel: Kernel, setting: Setting, refuted: list[Record]) -> Diagnosis | None:
    wrong: list[Case] = []
    right: list[Case] = []
    parts: set[str] = set()
    for case in _cases(kernel.spec, kernel.fixed_sizes):
        evaluation = kernel.evaluation(setting, case.model_copy(update={"dtype": setting.dtype}))
        try:
            bad = _differs(evaluation)
        except NotRun:
            continue
        except Exception:  # a candidate may raise anything; that it does is its fault
            bad = "outputs"
        parts.add(bad)
        (wrong if bad else right).append(case)
    if not wrong:
        return _precision(kernel, refuted)
    lost = [_lost_axes(kernel, setting, case) for case in wrong]
    if all(lost):
        told = f"axes of length one are lost ({lost[0]}), as squeeze() without an axis does"
        return Diagnosis(spec=kernel.spec, part="forward: shape", difference=told)
    what = "outputs" if "outputs" in parts else "final states"
    for words, holds in _WHEN:
        if all(holds(case) for case in wrong) and not any(holds(case) for case in right):
            return Diagnosis(
                spec=kernel.spec,
                part=f"forward: {what}",
                difference=f"its {what} are wrong where {words}, and only there",
            )
    if right:
        told = f"its {what} are wrong in {len(wrong)} of the {len(wrong) + len(right)} cases tried"
        return Diagnosis(spec=kernel.spec, part=f"forward: {what}", difference=told)
    return _precision(kernel, refuted) or Diagnosis(
        spec=kernel.spec, part=f"forward: {what}", difference=f"its {what} are wrong"
    )


def _precision(kernel: Kernel, refuted: list[Record]) -> Diagnosis | None:
    """What the outputs are in each dtype, if it is their precision."""
    rows = [record for record in refuted if record.check == "precision.format"]
    if not rows:
        return None
    told = rows[0].reason.partition("; ")[2] or rows[0].reason
    return Diagnosis(spec=kernel.spec, part="forward: precision", difference=f"in {rows[0].dtype}: {told}")


def _coarse(kernel: Kernel, refuted: list[Record]) -> Diagnosis | None:
    """Gradients that are right, but to fewer bits than their dtype has."""
    found = next((r for r in refuted if r.check == "backward.bound" and r.bits), None)
    if found is None or found.case is None:
        return None
    setting = next(one for one in kernel.settings if one.dtype == found.dtype)
    evaluation = kernel.evaluation(setting, found.case)
    told = f"in {found.dtype}: the gradients have {found.bits:.1f} bits"
    if found.dtype == "float64":
        rows = evaluation.rounded_as("float32").gradient_balls
        if all(
            compare_with_balls("", name, balls, evaluation.flat_gradients[name]).agrees for name, balls in rows.items()
        ):
            told += "; this is what float32 arithmetic gives"
    return Diagnosis(spec=kernel.spec, part="backward: precision", difference=told)


def _differs(evaluation: Evaluation) -> str:
    """What leaves its bound: ``outputs``, or else ``final states``; empty if nothing does."""
    steps = evaluation.balls.steps
    if _outside(np.stack([step[evaluation.subject.output_name] for step in steps]), evaluation.run.outputs):
        return "outputs"
    last = [(steps[-1][name], evaluation.run.finals[source]) for name, source in evaluation.subject.states.items()]
    return "final states" if any(_outside(balls, found) for balls, found in last) else ""


def _outside(balls: Array, found: Array) -> bool:
    if found.shape != balls.shape or not np.isfinite(found).all():
        return True
    return any(not ball.contains(float(value)) for ball, value in zip(balls.flat, found.flat, strict=True))


def _lost_axes(kernel: Kernel, setting: Setting, case: Case) -> str:
    """The shape of its outputs at one step, where it differs from the right one by axes of length one; else empty."""
    case = case.model_copy(update={"T": 1, "dtype": setting.dtype})
    try:
        found = kernel.evaluation(setting, case).run.outputs.shape
    except Exception:  # then it is no shape that is wrong
        return ""
    right = (1, case.B, case.d)
    if found == right or [size for size in found if size != 1] != [size for size in right if size != 1]:
        return ""
    return f"for T = 1, B = {case.B}, d = {case.d} its outputs have shape {found}, not {right}"


def _backward(kernel: Kernel, setting: Setting) -> Diagnosis | None:
    """Which gradients are wrong at one step, or else over several, and what they are instead."""
    for steps, words in ((1, ""), (3, ", over time")):
        case = Case(spec=kernel.spec, B=3).model_copy(update=kernel.fixed_sizes or {})
        case = case.model_copy(update={"T": steps, "seed": 7, "dtype": setting.dtype})
        evaluation = kernel.evaluation(setting, case)
        try:
            found = evaluation.flat_gradients
        except NotRun:
            return None
        except Exception as error:
            return Diagnosis(spec=kernel.spec, part="backward", difference=f"it raises {type(error).__name__}: {error}")
        true = {name: _middles(balls) for name, balls in evaluation.gradient_balls.items()}
        wrong = [name for name, value in true.items() if not _near(found[name], value)]
        if wrong:
            part, difference = _told(wrong, found, true)
            return Diagnosis(spec=kernel.spec, part=f"backward{words}: {part}", difference=difference)
    return None


def _middles(balls: Array) -> Array:
    return np.array([float(ball.mid()) for ball in balls.flat]).reshape(balls.shape)


def _near(found: Array, true: Array) -> bool:
    if found.shape != true.shape:
        return False
    return bool(np.allclose(found, true, rtol=SCREEN_SINGLE, atol=SCREEN_SINGLE * float(np.abs(true).max(initial=0))))


def _told(wrong: list[str], found: dict[str, Array], true: dict[str, Array]) -> tuple[str, str]:
    """(the part, what its gradient is instead)."""
    own = [name for name in wrong if name.startswith("parameters.")]
    shown = own or wrong
    letters = {_letter(name) for name in own}
    if len(letters) == 1 and len(own) > 1:
        part = f"gradients of the {NAMES.get(next(iter(letters)), 'state')}"
    else:
        part = f"gradient{'s' if len(shown) > 1 else ''} of {_listed(shown)}"
    return part, f"the {part} {'are' if len(shown) > 1 else 'is'} {_pattern(shown, found, true)}"


def _listed(names: list[str]) -> str:
    """Parameters in words, those of one kind together."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kind, of, gate = _words(name).partition(" of ")
        kinds.setdefault(kind, []).append(gate if of else "")
    rows = []
    for kind, gates in kinds.items():
        own = [gate for gate in gates if gate]
        rows.append(kind + (f" of {' and '.join(own)}" if own else ""))
    return ", ".join(rows)


def _letter(name: str) -> str:
    tail = name.removeprefix("parameters.").rpartition("_")[2]
    return tail[-1] if tail and tail[-1] in "rzgifo" else ""


def _words(name: str) -> str:
    bare = name.removeprefix("parameters.")
    if bare != name:
        kinds = {"W_x": "input weights", "W_h": "recurrent weights", "W_c": "peephole", "b": "bias"}
        kind = next((words for head, words in kinds.items() if bare.startswith(head)), bare)
        gate = NAMES.get(_letter(name), "")
        return f"the {kind} of the {gate}" if gate != "state" else f"the {kind}"
    return "the inputs" if name == "inputs" else f"the initial {'cell' if name.endswith('c') else 'hidden'} state"


def _pattern(names: list[str], found: dict[str, Array], true: dict[str, Array]) -> str:
    """What all of these gradients have in common with the right ones."""
    if all(not found[name].any() for name in names):
        return "zero"
    ratios = {_ratio(found[name], true[name]) for name in names}
    if len(ratios) == 1 and None not in ratios:
        factor = ratios.pop()
        return "of the wrong sign" if factor == -1 else f"{factor:g} times what is right"
    if all(found[name].ndim == 2 and _near(found[name].T, true[name]) for name in names):
        return "transposed"
    for name in names:
        other = next((k for k, v in true.items() if k != name and k not in names and _near(found[name], v)), None)
        if other is not None:
            return f"that of {_words(other)}"
    name = names[0]
    if found[name].shape == true[name].shape and found[name].size:
        differing = np.abs(found[name] - true[name]) > SCREEN_SINGLE * np.abs(true[name]).max()
        if differing.sum() == 1 and found[name].size > 1:
            return f"wrong in the one entry {tuple(int(i) for i in np.argwhere(differing)[0])}"
    return "wrong"


def _ratio(found: Array, true: Array) -> float | None:
    """The one factor between two arrays, to three digits."""
    if found.shape != true.shape or not true.all():
        return None
    factors = found / true
    middle = float(np.median(factors))
    return float(f"{middle:.3g}") if np.allclose(factors, middle, rtol=SCREEN_SINGLE) else None
