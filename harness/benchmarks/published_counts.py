"""Numbers of parameters that papers print, and what the papers' own formulas give."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedCount:
    """A number of parameters that a paper prints.

    Attributes:
        source: The paper, the experiment and the model.
        printed: The number that the paper prints.
        computed: The number that its formula gives.
        formula: The closed form that gives the number, in symbols of the paper.
    """

    source: str
    printed: int
    computed: int
    formula: str


def hochreiter_count(inputs: int, outputs: int, blocks: int, cells: int, biases: int) -> int:
    """Return the number of weights of a network of Hochreiter & Schmidhuber 1997.

    Args:
        inputs: The number of inputs.
        outputs: The number of outputs.
        blocks: The number of memory blocks, each with two gates; all units are fed by all inputs and units.
        cells: The number of cells of a block.
        biases: The number of biases.
    """
    units = blocks * (cells + 2)
    return units * (inputs + units) + biases + outputs * blocks * cells


_HS97 = "(n + H) H + biases + k b S, H = b (S + 2)"
_REBER = (("b = 4, S = 1", 264, (7, 7, 4, 1, 8)), ("b = 3, S = 2", 276, (7, 7, 3, 2, 6)))
PUBLISHED = (
    *(
        PublishedCount(f"H&S 1997, 1, {blocks}", printed, hochreiter_count(*sizes), _HS97)
        for blocks, printed, sizes in _REBER
    ),
    # Its own layout, with full connections between 101 inputs and as many outputs, and one cell without recurrence.
    PublishedCount("H&S 1997, 2a", 10504, 101 * 101 + 101 + 2 * 101, "101 101 + 101 + 2 101"),
    *(
        PublishedCount(f"H&S 1997, 2c, {p} symbols", printed, hochreiter_count(p + 4, 2, 2, 1, 0), _HS97)
        for p, printed in ((50, 364), (100, 664), (200, 1264), (500, 3064), (1000, 6064))
    ),
    PublishedCount("H&S 1997, 3", 102, hochreiter_count(1, 1, 3, 1, 9), _HS97),
    PublishedCount("H&S 1997, 4", 93, hochreiter_count(2, 1, 2, 2, 9), _HS97),
    PublishedCount("H&S 1997, 6a", 156, hochreiter_count(8, 4, 2, 2, 12), _HS97),
    PublishedCount("H&S 1997, 6b", 308, hochreiter_count(8, 8, 3, 2, 20), _HS97),
    PublishedCount("Chung 2014, speech, tanh 400", 168400, 400 * (400 + 20 + 1), "d (n + d + 1)"),
    PublishedCount("Chung 2014, speech, GRU 227", 168888, 3 * 227 * (227 + 20 + 1), "3 d (n + d + 1)"),
    PublishedCount("Chung 2014, speech, LSTM 195", 169065, 4 * 195 * (195 + 20 + 1) + 3 * 195, "4 d (n + d + 1) + 3 d"),
)
"""The sizes of experiment 2c, and the numbers of biases of the 1997 paper, are those at which its formula gives what it
prints.
"""
