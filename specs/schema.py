"""What a spec file may hold. Data only: reading a stranger's file executes nothing of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rnn_harness.specs.dimensions import Shape, parse_shape


def _shape_text(text: str) -> str:
    parse_shape(text)
    return text


ShapeText = Annotated[str, AfterValidator(_shape_text)]
Scalar = bool | int | float | str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Erratum(_Strict):
    """What the document prints wrong. `finding`: what the automatic audit must find by itself."""

    id: str
    finding: tuple[str, ...]
    text: str

    @model_validator(mode="before")
    @classmethod
    def _one_finding(cls, data: object) -> object:
        if isinstance(data, dict) and isinstance(data.get("finding"), str):
            return data | {"finding": (data["finding"],)}
        return data


class Entry(_Strict):
    """One formula of a document, under its permanent id.

    `reading`: what is computed, where the print cannot be. `literal`: the print put as a formula, where it is prose.
    """

    id: str
    document: str = ""
    line: int = Field(ge=1)
    also: tuple[int, ...] = ()
    section: str = ""
    printed: str
    reading: str | None = None
    literal: str | None = None
    errata: tuple[Erratum, ...] = ()
    note: str = ""

    @property
    def text(self) -> str:
        """What is computed: the reading where there is one, else the print."""
        return self.printed if self.reading is None else self.reading


class Equation(Entry):
    """An equation of a step. `alternative`: a second way to write one, judged alone."""

    alternative: bool = False


class Example(Entry):
    """Worked numbers: every equality of the print is recomputed in rationals from `given`.

    `given_lines`: where the given values stand. `asked`: the expression whose value the text asks for.
    """

    given: dict[str, str] = {}
    given_lines: tuple[int, ...] = ()
    asked: str | None = None


class Program(Entry):
    """A snippet of Keras; `reading` is the program meant. `input_size` feeds the parameter count."""

    input_size: int = Field(default=1, ge=1)


class Table(Entry):
    """Rows of numbers. `rows`: ``one-hot`` codes or ``states`` of a tanh cell; `vocabulary`/`data` for codes."""

    rows: Literal["one-hot", "states"]
    words: tuple[str, ...] = ()


class Shapes(Entry):
    """Printed shapes of symbols, held against the spec `of` that uses them; `reading`: the symbols meant, by ``;``."""

    of: str
    sizes: dict[str, int] = {}


class Identity(Entry):
    """A sum or a derivative of backpropagation through time; `of` is the spec it speaks about."""

    of: str


class ReferenceLink(_Strict):
    """Which reference computes the spec, and how the symbols correspond.

    `output`: the activation of an output layer on top, if there is one. A parameter is written out of the
    reference's: ``W_xr``, ``W_xr^T``, ``-b_z``, or ``[W_hz, W_xz]`` for blocks side by side.
    """

    name: str
    options: dict[str, Scalar | None] = {}
    parameters: dict[str, str] = {}
    trace: dict[str, str] = {}
    states: dict[str, str] = {}
    inputs: dict[str, str] = {}
    output: str | None = None


class SpecModel(_Strict):
    """A spec file."""

    id: str
    title: str
    kind: Literal["cell", "document"] = "cell"
    document: str = ""
    time: str = "t"
    inputs: dict[str, ShapeText] = {}
    states: dict[str, ShapeText] = {}
    outputs: tuple[str, ...] = ()
    parameters: dict[str, ShapeText] = {}
    functions: dict[str, Literal["sigmoid", "tanh", "relu", "softmax", "identity", "log"]] = {}
    indices: tuple[str, ...] = ()
    aliases: dict[str, str] = {}
    layers: bool = False
    uses: tuple[str, ...] = ()
    reference: ReferenceLink | None = None
    equations: tuple[Equation, ...] = ()
    examples: tuple[Example, ...] = ()
    programs: tuple[Program, ...] = ()
    tables: tuple[Table, ...] = ()
    shapes: tuple[Shapes, ...] = ()
    identities: tuple[Identity, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> SpecModel:
        seen: dict[str, str] = {}
        for kind in ("inputs", "states", "parameters"):
            for name, text in getattr(self, kind).items():
                if name in seen:
                    raise ValueError(f"{name} is declared twice, under {seen[name]} and under {kind}")
                if kind != "parameters" and len(parse_shape(text)) > 1:
                    raise ValueError(f"{name} is a matrix; what differs from step to step is a vector or a scalar")
                seen[name] = kind
        if self.kind == "cell" and self.layers and len(self.inputs) != 1:
            raise ValueError(f"a spec with layers has one input, the bottom layer's; found {len(self.inputs)}")
        return self

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry of the file, equations first."""
        return (
            *self.equations,
            *self.examples,
            *self.programs,
            *self.tables,
            *self.shapes,
            *self.identities,
        )

    def declared(self) -> dict[str, Shape]:
        """Shapes of inputs, states and parameters by name."""
        texts = {**self.inputs, **self.states, **self.parameters}
        return {name: parse_shape(text) for name, text in texts.items()}

    @property
    def dimensions(self) -> frozenset[str]:
        """Every named size that occurs."""
        shapes = self.declared().values()
        return frozenset(symbol for shape in shapes for size in shape for symbol in size.symbols)
