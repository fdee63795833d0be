"""Docstrings explain what a function takes and raises, and what a class holds."""

from __future__ import annotations

import ast
import textwrap

import pytest

from tests.repository.docstring_gaps import Docstrings
from tests.repository.source_tree import ROOT, Module, modules


def test_every_public_docstring_names_its_arguments_fields_and_errors() -> None:
    """A method needs none that overrides a documented one of a base class or a Protocol."""
    gaps = [str(gap) for gap in Docstrings(modules()).gaps()]
    assert gaps == [], "\n".join(gaps)


def missing_in(*sources: str) -> list[str]:
    """Return what modules of these texts leave out, without file and line."""
    texts = [
        Module(f"rnn_harness.example{number}", ROOT / "example.py", ast.parse(textwrap.dedent(source)))
        for number, source in enumerate(sources)
    ]
    return [f"{gap.name}: {gap.missing}" for gap in Docstrings(texts).gaps()]


DOCUMENTED = '''
class Cell(Protocol):
    def run(self, inputs: Array, state: Array) -> Array:
        """Run it.

        Args:
            inputs: (T, B, n).
            state: (B, d).

        Raises:
            Refused: The shapes do not fit.
        """
'''


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        pytest.param('def f(x):\n    """Do it."""', "f: Args lack x", id="no section"),
        pytest.param(
            'def f(x, y):\n    """Do it.\n\n    Args:\n        x: A number.\n    """', "f: Args lack y", id="one of two"
        ),
        pytest.param(
            'def f(*, x):\n    """Do it.\n\n    Returns:\n        x: A number.\n    """',
            "f: Args lack x",
            id="named in another section",
        ),
        pytest.param(
            'def f(x, *more, **options):\n    """Do it.\n\n    Args:\n        x: A number.\n    """',
            "f: Args lack more, options",
            id="starred",
        ),
        pytest.param("def f(x): ...", "f: Args lack x", id="no docstring"),
        pytest.param(
            'def f(x):\n    """Do it.\n\n    Args:\n        x: The x.\n    """', "f: nothing is said of x", id="filler"
        ),
        pytest.param(
            'class C:\n    """It.\n\n    Attributes:\n        x: Its x.\n    """\n    x: int',
            "C: nothing is said of x",
            id="filler of a field",
        ),
        pytest.param(
            'def f(x):\n    """Do it.\n\n    Args:\n        y: A number.\n    """',
            "f: Args lack x",
            id="renamed argument",
        ),
        pytest.param(
            'def f(x):\n    """Do it.\n\n    Args:\n        y: A number, of\n            x: no entry.\n    """',
            "f: Args lack x",
            id="named in a continued line",
        ),
        pytest.param('class C:\n    """It."""\n    x: int\n    y: int', "C: Attributes lack x, y", id="fields"),
        pytest.param(
            'class C:\n    """It."""\n\n    def __init__(self, x): ...', "C: Args lack x", id="constructor of a class"
        ),
        pytest.param(
            'class C(Base):\n    """It."""\n\n    def run(self, inputs): ...',
            "C.run: Args lack inputs",
            id="base class that is nowhere",
        ),
        pytest.param(
            f'{DOCUMENTED}\nclass C:\n    def run(self, inputs, other):\n        """Run."""',
            "C.run: Args lack inputs, other",
            id="method unlike the protocol's",
        ),
        pytest.param(
            f"{DOCUMENTED}\nclass C(Cell):\n    def start(self, state): ...",
            "C.start: Args lack state",
            id="method that no base has",
        ),
        pytest.param(
            'def f():\n    """Do it."""\n    raise ValueError("no")', "f: Raises lack ValueError", id="unnamed error"
        ),
        pytest.param(
            'def f():\n    """Do it.\n\n    Raises:\n        TypeError: Never.\n    """\n    raise errors.UsageError()',
            "f: Raises lack UsageError",
            id="another error",
        ),
        pytest.param(
            "Target = Annotated[str, typer.Argument(help='It.')]\ndef f(x: Annotated[str, typer.Argument()]): ...",
            "f: Args lack x",
            id="option without help",
        ),
    ],
)
def test_a_docstring_that_leaves_something_out_is_seen(source: str, missing: str) -> None:
    assert missing_in(source) == [missing]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            'def f(x1, x2, *more):\n    """Do it.\n\n    Args:\n        x1, x2: Two.\n        *more: More.\n    """',
            id="joint and starred entries",
        ),
        pytest.param(f"{DOCUMENTED}\nclass C(Cell):\n    def run(self, inputs, state): raise Refused()", id="heir"),
        pytest.param(
            f"{DOCUMENTED}\nclass Base(Cell): ...\nclass C(Base):\n    def run(self, inputs, state): ...",
            id="heir of an heir",
        ),
        pytest.param(f"{DOCUMENTED}\nclass C:\n    def run(self, inputs, state): ...", id="what satisfies a protocol"),
        pytest.param("def _f(x): ...\nclass _C:\n    def f(self, x): ...", id="private names"),
        pytest.param("def f(_unused): ...", id="unused argument"),
        pytest.param(
            'def f(x: Annotated[int, typer.Option(help="A number.")]): raise typer.Exit', id="option of a command"
        ),
        pytest.param('class C:\n    kind: Literal["speed"]\n    sizes: ClassVar[int]\n    x: int', id="one real field"),
        pytest.param("def f():\n    def g():\n        raise ValueError\n    return g", id="error of a function inside"),
    ],
)
def test_a_docstring_that_says_all_is_accepted(source: str) -> None:
    assert missing_in(source) == []


def test_an_option_type_counts_only_where_it_is_imported() -> None:
    options = "Target = Annotated[str, typer.Argument(help='What is validated.')]"
    command = "from rnn_harness.example0 import Target\ndef validate(target: Target): ..."
    function = "from rnn_harness.target import Target\ndef judge(target: Target): ..."
    assert missing_in(options, command, function) == ["judge: Args lack target"]
