"""Cases as Hypothesis draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnn_harness.cases.case import FEATURES, Case

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy


def case_strategy(spec: str, dtype: str | None = None, lengths: bool = False) -> SearchStrategy[Case]:
    """Return Hypothesis's strategy for the cases of a spec: small sizes first, special positions.

    Args:
        spec: id of the spec.
        dtype: the one dtype of all cases; by default float64 and float32.
        lengths: whether rows get lengths of their own.
    """
    from hypothesis import strategies as st

    small = st.sampled_from([2, 3, 1, 4])
    steps = st.sampled_from([2, 3, 1, 5])
    dtypes: tuple[Any, ...] = (dtype,) if dtype else ("float64", "float32")

    @st.composite
    def build(draw: DrawFn) -> Case:
        rows, length = draw(small), draw(steps)
        return Case(
            spec=spec,
            n=draw(small),
            d=draw(small),
            k=draw(st.sampled_from([2, 3])),
            T=length,
            B=rows,
            dtype=draw(st.sampled_from(dtypes)),
            seed=draw(st.integers(0, 2**20)),
            scale=draw(st.sampled_from([1.0, 0.5, 2.0, 4.0])),
            features=tuple(sorted(draw(st.sets(st.sampled_from(FEATURES), max_size=2)))),
            lengths=tuple(draw(st.lists(st.integers(0, length), min_size=rows, max_size=rows))) if lengths else None,
        )

    return build()
