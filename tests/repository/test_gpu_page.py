"""The page about GPUs says what the tables of the code say, and no more than a GPU has shown."""

from __future__ import annotations

from pathlib import Path

from rnn_harness.arithmetic.assumptions import SPLIT_TF32_OPERANDS, TF32_OPERANDS, UNIT_ROUNDOFF
from rnn_harness.kernels import all_kernels
from rnn_harness.kernels.drivers.fused.resources import LARGEST_TILES
from rnn_harness.kernels.drivers.split import LARGEST_SPLITS
from tests.repository.test_gpu_numbers import committed_summaries

PAGE = (Path(__file__).parents[2] / "docs" / "pages" / "how-to" / "gpu.md").read_text(encoding="utf-8")


def table_rows() -> list[list[str]]:
    """The cells of the page's only table, without the line below its head."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_largest_hidden_sizes_are_those_of_the_code() -> None:
    head, *rows = table_rows()
    stated = {
        (row[0], arithmetic): tuple(int(size) for size in cell.split(", "))
        for row in rows
        for arithmetic, cell in zip(head[1:], row[1:], strict=True)
    }
    assert stated == {key: (tile.side, LARGEST_SPLITS[key].d) for key, tile in LARGEST_TILES.items()}


def test_the_accuracy_of_each_way_to_multiply_in_float32_is_the_one_it_is_judged_by() -> None:
    assert [UNIT_ROUNDOFF["float32"], SPLIT_TF32_OPERANDS, TF32_OPERANDS] == [2**-24, 2**-21, 2**-10]
    for name, operands, accuracy in (
        ("", None, "(2^-24 an operation)"),
        ("-tf32x3", SPLIT_TF32_OPERANDS, "off by 2^-21 of itself"),
        ("-tf32", TF32_OPERANDS, "off by 2^-10."),
    ):
        for division in ("fused", "split"):
            prefix = f"{division}{name}/"
            (paragraph,) = (part for part in PAGE.split("\n\n") if f"`{prefix}`" in part)
            assert accuracy in " ".join(paragraph[paragraph.rindex(f"`{prefix}`") :].split(";")[:1])
            assert {k.operand_roundoff for k in all_kernels() if k.id.startswith(prefix)} == {operands}


def test_the_page_says_that_no_gpu_has_run_the_kernels_exactly_as_long_as_there_is_no_evidence() -> None:
    assert ("No GPU has run the Triton kernels yet" in PAGE) is (not committed_summaries())
