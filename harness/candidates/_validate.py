"""Is it right? What the identification says, then every check of a kernel on the candidate in the place of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rnn_harness.candidates._driver import TargetDriver
from rnn_harness.candidates._identify import Match, identify
from rnn_harness.candidates._paper import load_paper, paper_kernel
from rnn_harness.candidates._target import Target
from rnn_harness.errors import UsageError
from rnn_harness.kernels import Kernel, decide
from rnn_harness.kernels._kernel import settings
from rnn_harness.records import Outcome, Record, environment
from rnn_harness.specs import library

DTYPES = ("float64", "float32")


def candidate(target: Target, match: Match, dtypes: tuple[str, ...] = DTYPES) -> Kernel:
    """The candidate as a kernel of the spec it was identified as. Raises UsageError if there is no such spec."""
    if match.spec is None:
        raise UsageError(
            f"{target.name} is a {match.sentence()}; no shipped spec says that, so nothing can be held against it"
        )
    driver = TargetDriver(
        target.make, match.convention, match.reading.table, match.states, target.sizes, match.reading.absent
    )
    fixed = {"n": target.sizes[0], "d": target.sizes[1], "B": 2} if target.sizes else None
    alternatives = tuple(
        one.id for one in library().spec(match.spec).model.equations if one.alternative and one.id.startswith("T-")
    )
    return Kernel(
        target.name,
        match.sentence(),
        match.spec,
        lambda _: driver,
        settings(dtypes),
        alternatives=alternatives,
        fixed=fixed,
        relations=not match.reading.absent,
    )


def validate(
    target: Target,
    spec: str = "auto",
    seed: int = 0,
    examples: int = 5,
    dtypes: tuple[str, ...] = DTYPES,
    known: dict[str, Record] | None = None,
    on_start: Callable[[str], None] = lambda _: None,
) -> Iterator[Record]:
    """What the target is, then whether it is right; records come as they are made.

    `spec`: an id that the target must have, a spec file of one's own, or ``auto``. Raises UsageError if the target
    cannot be driven, or if nothing can be held against it.
    """
    if spec.endswith(".toml"):
        on_start(f"{target.name}: what is it?")
        kernel = paper_kernel(target, load_paper(spec), dtypes)
        yield _told(target, kernel, seed)
        yield from decide((kernel,), seed, examples, known, on_start)
        return
    on_start(f"{target.name}: what is it?")
    matches = identify(target)
    first = _identified(target, matches, spec, seed)
    yield first
    right = [one for one in matches if not one.fault and spec in ("auto", one.spec)]
    if not right:
        return
    yield from decide((candidate(target, right[0], dtypes),), seed, examples, known, on_start)


def _told(target: Target, kernel: Kernel, seed: int) -> Record:
    return Record(
        entry=kernel.spec,
        spec=kernel.spec,
        check="candidate.identified",
        witness="kernel",
        outcome=Outcome.NOT_RUN,
        reason=f"not identified: {kernel.title}",
        seed=seed,
        environment=environment(),
        kernel=target.name,
    )


def _identified(target: Target, matches: tuple[Match, ...], spec: str, seed: int) -> Record:
    right = [one for one in matches if not one.fault]
    wanted = [one for one in right if spec in ("auto", one.spec)]
    outcome = Outcome.AGREES if wanted else Outcome.REFUTED
    about = wanted or right or list(matches)
    if not about:
        reason = "unknown: it equals no cell that is known, and none of them with a known fault"
        if spec == "auto":
            outcome = Outcome.NOT_RUN
            reason += "; give the spec that it should be with --spec"
    else:
        told = " | or: ".join(dict.fromkeys(one.sentence() for one in about[:4]))
        reason = told if wanted or spec == "auto" else f"is not {spec}. It is a {told}"
    return Record(
        entry=(about[0].spec if about else None) or "unknown",
        spec=(about[0].spec if about else None) or "unknown",
        check="candidate.identified",
        witness="kernel",
        outcome=outcome,
        reason=reason,
        examples=1,
        seed=seed,
        environment=environment(),
        kernel=target.name,
    )
