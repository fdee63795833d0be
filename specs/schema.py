"""The models of a spec file. It is data only: reading a file of unknown origin executes nothing of it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rnn_harness.specs.dimensions import Dimension, Shape, parse_shape


def _shape_text(text: str) -> str:
    """Return a text that can be read as a shape. Raises ValueError."""
    parse_shape(text)
    return text


ShapeText = Annotated[str, AfterValidator(_shape_text)]


def _size_text(text: str) -> str:
    """Return a text that is a length in n and d. Raises ValueError."""
    unknown = Dimension.parse(text).symbols - {"n", "d"}
    if unknown:
        raise ValueError(f"{text!r} is no length in n and d: expected for example '2', 'd' or '2d'")
    return text


SizeText = Annotated[str, AfterValidator(_size_text)]
FunctionName = Literal["sigmoid", "tanh", "relu", "softmax", "identity", "log", "exp", "softplus", "sqrt"]
"""What a letter may be declared as under ``[functions]``."""
Scalar = bool | int | float | str
"""A value of an option."""


_LONGEST_NUMBER, _LARGEST_EXPONENT = 100, 400
"""Letters of a constant, and its power of ten: the exact value of 1e999999999 would fill the memory."""


def _exact_number(number: object) -> str:
    """Return a number as the text of its decimal digits. Raises ValueError."""
    text = str(number)
    exponent = re.search(r"[eE]([+-]?\d+)", text[:_LONGEST_NUMBER])
    try:
        if isinstance(number, bool):
            raise ValueError
        if len(text) > _LONGEST_NUMBER or (exponent is not None and abs(int(exponent[1])) > _LARGEST_EXPONENT):
            raise ValueError
        Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text[:_LONGEST_NUMBER]!r} is not a number, or too long: expected for example 0.1") from None
    return text


ConstantText = Annotated[str, BeforeValidator(_exact_number)]
"""The value of a printed letter that stands for a number."""


class _Strict(BaseModel):
    """A model that refuses unknown keys and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Erratum(_Strict):
    """An error in the print of an entry.

    Attributes:
        id: the permanent id.
        finding: the categories of findings that the automatic audit must report by itself.
        text: the error in our words.
    """

    id: str
    finding: tuple[str, ...]
    text: str

    @model_validator(mode="before")
    @classmethod
    def _single_finding(cls, data: object) -> object:
        """Take a single category as a list of one."""
        if isinstance(data, dict) and isinstance(data.get("finding"), str):
            return data | {"finding": (data["finding"],)}
        return data


class Entry(_Strict):
    """One formula of a document, under its permanent id.

    Attributes:
        id: the permanent id.
        document: the number of the document; that of the file where it is empty.
        line: the line of the document on which it begins; 0 where it stands in no document.
        also: lines on which it is printed again.
        section: the section of the document.
        printed: the LaTeX, character for character.
        reading: the LaTeX that is computed, where the print cannot be.
        literal: the print put as a formula, where it is prose.
        errata: the errors of the print.
        note: a remark for the reader.
    """

    id: str
    document: str = ""
    line: int = Field(default=0, ge=0)
    also: tuple[int, ...] = ()
    section: str = ""
    printed: str
    reading: str | None = None
    literal: str | None = None
    errata: tuple[Erratum, ...] = ()
    note: str = ""

    @field_validator("line")
    @classmethod
    def _refuse_line_zero_of_a_file(cls, line: int, info: ValidationInfo) -> int:
        """Refuse 0 where a file says it: there it is no line, and elsewhere it stands for none."""
        if info.context and not line:
            raise PydanticCustomError("greater_than_equal", "Input should be greater than or equal to 1")
        return line

    @property
    def text(self) -> str:
        """The LaTeX that is computed: the reading where there is one, else the print."""
        return self.printed if self.reading is None else self.reading


class Equation(Entry):
    """An equation of a step; the fields of `Entry`, and one more.

    Attributes:
        alternative: whether it is a second way to write another equation, which is judged by itself.
    """

    alternative: bool = False


class Example(Entry):
    """Worked numbers, of which every equality is recomputed in rationals; the fields of `Entry`, and more.

    Attributes:
        given: the values that the text states for symbols.
        given_lines: the lines of the document on which they stand.
        asked: the expression whose value the text asks for.
        places: the steps that the text says a board has room for.
    """

    given: dict[str, str] = {}
    given_lines: tuple[int, ...] = ()
    asked: str | None = None
    places: int | None = None


class Program(Entry):
    """A snippet of Keras, whose `reading` is the program that is meant; the fields of `Entry`, and one more.

    Attributes:
        input_size: the number of inputs, for the count of parameters.
    """

    input_size: int = Field(default=1, ge=1)


class Table(Entry):
    """Rows of numbers; the fields of `Entry`, and more.

    Attributes:
        rows: whether they are ``one-hot`` codes or ``states`` of a tanh cell.
        words: the words of the data, each of which has a code; empty where the data are not printed.
    """

    rows: Literal["one-hot", "states"]
    words: tuple[str, ...] = ()


class Shapes(Entry):
    """Printed shapes of symbols, compared with the spec that uses them; the fields of `Entry`, and more.

    The `reading` lists the symbols that are meant, with ``;`` between them.

    Attributes:
        of: the id of the spec.
        sizes: the numbers that the text states for the named sizes.
    """

    of: str
    sizes: dict[str, int] = {}


class Identity(Entry):
    """A sum or a derivative of backpropagation through time; the fields of `Entry`, and one more.

    Attributes:
        of: the id of the spec that it is about.
    """

    of: str


class ReferenceLink(_Strict):
    """The reference that computes the spec, and the correspondence of their symbols.

    Attributes:
        name: the reference.
        options: its options, such as ``reset = "after"``.
        parameters: the spec's parameters out of the reference's: ``W_xr``, ``W_xr^T``, ``-b_z``, or ``[W_hz, W_xz]``
            for blocks side by side.
        trace: the spec's symbols by the names in the reference's trace.
        states: the spec's states by the reference's.
        inputs: the spec's inputs by the reference's.
        output: the activation of an output layer on top, if there is one.
    """

    name: str
    options: dict[str, Scalar | None] = {}
    parameters: dict[str, str] = {}
    trace: dict[str, str] = {}
    states: dict[str, str] = {}
    inputs: dict[str, str] = {}
    output: str | None = None


class SpecModel(_Strict):
    """A spec file.

    Attributes:
        id: the permanent id.
        title: the title, for the reader.
        source: with what the equations were compared, for cells that stand in no document that is at hand.
        kind: ``cell`` for the equations of a step, ``document`` for a document's other entries.
        document: the number of the document, for entries that name none.
        time: the index letter of time.
        inputs: the shapes of the inputs by name.
        states: the shapes of the states by name.
        outputs: the names of the outputs; the file may say ``output = "y"`` for one. Where it is empty: the only
            result that no equation reads, or else the first state.
        parameters: the shapes of the parameters by name.
        sizes: the usual lengths of the named sizes that are neither n nor d, such as the rank of a factored matrix or
            the width of a second state; a cell with another length is the same cell.
        constants: the values of printed letters that stand for a number, such as the time step of an oscillator; a cell
            with another value is the same cell.
        functions: the functions that letters stand for.
        indices: the letters of class indices.
        aliases: plain names that stand for printed ones.
        layers: whether the symbols carry a layer superscript.
        uses: the ids of equations that are taken from other specs.
        reference: the reference that computes the spec, if there is one.
        equations: the equations of the step.
        examples: worked numbers.
        programs: snippets of Keras.
        tables: rows of numbers.
        shapes: printed shapes.
        identities: sums and derivatives of backpropagation through time.
    """

    id: str
    title: str
    source: str = ""
    kind: Literal["cell", "document"] = "cell"
    document: str = ""
    time: str = "t"
    inputs: dict[str, ShapeText] = {}
    states: dict[str, ShapeText] = {}
    outputs: tuple[str, ...] = ()
    parameters: dict[str, ShapeText] = {}
    sizes: dict[str, SizeText] = {}
    constants: dict[str, ConstantText] = {}
    functions: dict[str, FunctionName] = {}
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

    @model_validator(mode="before")
    @classmethod
    def _single_output(cls, data: object) -> object:
        """Take ``output = "y"`` as a list of one."""
        if isinstance(data, dict) and isinstance(data.get("output"), str) and "outputs" not in data:
            return {key: value for key, value in data.items() if key != "output"} | {"outputs": (data["output"],)}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> SpecModel:
        """Check that every name is declared once, and has a shape that its role allows."""
        declared: dict[str, str] = {}
        sections = {"inputs": self.inputs, "states": self.states, "parameters": self.parameters}
        for section, shapes in sections.items():
            for name, text in shapes.items():
                if name in declared:
                    raise ValueError(f"{name} is declared twice, under {declared[name]} and under {section}")
                if section != "parameters" and len(parse_shape(text)) > 1:
                    raise ValueError(f"{name} is a matrix; what differs from step to step is a vector or a scalar")
                declared[name] = section
        texts = " ".join((*self.inputs.values(), *self.states.values(), *self.parameters.values()))
        for name in self.sizes:
            if name in ("n", "d", "k", "B", "T") or self.layers:
                raise ValueError(f"{name} has a meaning of its own and cannot stand under sizes")
            if not any(name in Dimension.parse(size).symbols for size in texts.split()):
                raise ValueError(f"the size {name} occurs in no declared shape")
        for name in self.constants:
            if name in declared:
                raise ValueError(f"{name} is declared twice, under {declared[name]} and under constants")
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
        """Return the shapes of inputs, states and parameters by name."""
        texts = {**self.inputs, **self.states, **self.parameters}
        return {name: self.shape(text) for name, text in texts.items()}

    def shape(self, text: str) -> Shape:
        """Read a shape of this file, with the lengths of its `sizes`.

        Args:
            text: sizes with blanks between them, for example ``"d r"``.
        """
        lengths = {name: Dimension.parse(length) for name, length in self.sizes.items()}
        return tuple(size.with_sizes(lengths) for size in parse_shape(text))

    @property
    def dimensions(self) -> frozenset[str]:
        """The named sizes that occur in the declared shapes."""
        shapes = self.declared().values()
        return frozenset(symbol for shape in shapes for size in shape for symbol in size.symbols)
