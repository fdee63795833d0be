"""What a check is run on: a case is a few numbers from which all arrays are drawn again."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Dtype = Literal["float64", "float32", "bfloat16", "float16"]
CaseFeature = Literal["large", "zeros", "equal rows", "saturated"]
FEATURES: tuple[CaseFeature, ...] = ("large", "zeros", "equal rows", "saturated")


class Case(BaseModel):
    """Sizes, dtype, seed, scale and special positions; replayable from its JSON alone.

    Attributes:
        spec: id of the spec.
        n: input size.
        d: hidden size.
        k: output size, where there is an output layer.
        T: number of time steps.
        B: number of batch rows.
        dtype: format of all arrays.
        seed: of the random numbers.
        scale: standard deviation of the recurrent part of a pre-activation, roughly.
        features: ``large`` puts inputs beyond 8 at some places, ``zeros`` exact zeros, ``equal rows`` makes two batch
            rows the same, ``saturated`` multiplies the biases.
        lengths: number of steps of every batch row, or None where all rows have T.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: str
    n: int = Field(default=3, ge=1)
    d: int = Field(default=4, ge=1)
    k: int = Field(default=2, ge=1)
    T: int = Field(default=3, ge=0)
    B: int = Field(default=2, ge=0)
    dtype: Dtype = "float64"
    seed: int = Field(default=0, ge=0)
    scale: float = Field(default=1.0, gt=0)
    features: tuple[CaseFeature, ...] = ()
    lengths: tuple[int, ...] | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """The named sizes of a spec."""
        return {"n": self.n, "d": self.d, "k": self.k}
