"""No number of a GPU stands in the documents unless a run on one, kept in reports/gpu, has given it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
_DEVICE = re.compile(r"\b(GPUs?|CUDA|cuDNN|H100|H200|A100)\b")
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:µs|us|microseconds|ms|milliseconds|TFLOP|GB/s|TB/s|times (?:as|faster))")


def unproved_numbers(text: str, summaries: list[str]) -> list[str]:
    """The sentences of a text that speak of a GPU and of a time or a rate which stands in no summary."""
    sentences = re.split(r"(?<=[.:;!?])\s+|\n\s*\n", text)
    return [
        sentence
        for sentence in sentences
        if _DEVICE.search(sentence)
        and any(not any(_holds(summary, number) for summary in summaries) for number in _NUMBER.findall(sentence))
    ]


def _holds(summary: str, number: str) -> bool:
    """Whether a number stands in a summary by itself, and not as a part of another one."""
    return re.search(rf"(?<![\w.,-]){re.escape(number)}(?!\w|[.,]\d)", summary) is not None


def committed_summaries() -> list[str]:
    """The summaries of runs on a real card."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "reports" / "gpu").glob("*/summary.md")]
    return [text for text in texts if re.search(r"^- device: ", text, re.MULTILINE)]


def test_no_number_of_a_gpu_stands_in_a_document_without_its_evidence() -> None:
    summaries = committed_summaries()
    wrong = {
        path.name: sentences
        for path in DOCUMENTS
        if (sentences := unproved_numbers(path.read_text(encoding="utf-8"), summaries))
    }
    assert wrong == {}


def test_a_number_without_evidence_is_found_and_one_with_it_is_not() -> None:
    claim = "On an H200 a step takes 2.4 µs. On the processor it takes 40 ms. cuDNN takes four."
    assert unproved_numbers(claim, []) == ["On an H200 a step takes 2.4 µs."]
    assert unproved_numbers(claim, ["| 1024, 16, 100 | fused | 2.4 |"]) == []
    assert unproved_numbers("It took 4 ms on a GPU.", ["it took 4."]) == []
    assert unproved_numbers("It is 3 times faster than cuDNN.", ["nothing"]) == ["It is 3 times faster than cuDNN."]


@pytest.mark.parametrize("summary", ["| 12.4 |", "| 2.45 |", "| 1,2.4 |", "H2.4", "2.4.1", "2.4e-3", "-2.4"])
def test_a_part_of_another_number_is_no_evidence(summary: str) -> None:
    assert unproved_numbers("A step takes 2.4 µs on a GPU.", [summary]) != []
