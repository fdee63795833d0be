"""Who tries a task: torch's layers, with the biases of an LSTM's forget gate set or not, and layers of other cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from rnn_harness.benchmarks.learning.layer_maker import LayerMaker
from rnn_harness.benchmarks.learning.task import Task
from rnn_harness.families import FAMILIES


@dataclass(frozen=True)
class Learner:
    """A layer that is trained: one of torch's, or of a cell that somebody hands in.

    Attributes:
        name: The name in tables.
        family: ``rnn``, ``gru`` or ``lstm``.
        forget_bias: What the bias of an LSTM's forget gate is set to; None leaves torch's.
        has_chrono_bias: Whether an LSTM's biases are set as chrono does, for lags up to the task's length.
        bidirectional: Whether it runs in both directions of time.
        is_stateful: Whether its state is carried from one window to the next, where a task has windows.
        hidden_size: Its number of units; 0 for the one that the task has for its family.
        maker: Makes its layers; None for those of torch.
    """

    name: str
    family: str
    forget_bias: float | None = None
    has_chrono_bias: bool = False
    bidirectional: bool = False
    is_stateful: bool = False
    hidden_size: int = 0
    maker: LayerMaker | None = None

    @property
    def spec(self) -> str:
        """The spec of its cell; empty where it is none that ships."""
        return FAMILIES[self.family].spec if self.maker is None else self.maker.spec

    def units(self, task: Task) -> int:
        """Return its number of units on a task.

        Args:
            task: It has as many for each family that all have about as many parameters.
        """
        return self.hidden_size or task.hidden_sizes[self.family]

    @property
    def is_plain(self) -> bool:
        """Whether its biases are torch's own."""
        return self.forget_bias is None and not self.has_chrono_bias


TASK_AT_EQUAL_SIZE = "adding"
"""The task that RNN and GRU are tried on with as many units as the LSTM, too, and not only with as many parameters."""
LEARNERS = (
    Learner("RNN", "rnn"),
    Learner("GRU", "gru"),
    Learner("LSTM", "lstm"),
    Learner("LSTM, forget gate's bias 1", "lstm", forget_bias=1.0),
    Learner("LSTM, chrono", "lstm", has_chrono_bias=True),
)


def learners(task: Task, families: tuple[str, ...]) -> Iterator[Learner]:
    """Yield who tries a task.

    Args:
        task: The task. One that needs the future is tried with one direction of time and with both, one with windows
            stateless and stateful.
        families: The families that are compared.
    """
    for learner in LEARNERS:
        is_special = task.needs_future or task.window or task.best
        if learner.family not in families or (is_special and not learner.is_plain):
            continue
        yield replace(learner, name=f"{learner.name}, stateless") if task.window else learner
        d = task.hidden_sizes["lstm"]
        if task.name == TASK_AT_EQUAL_SIZE and task.hidden_sizes[learner.family] != d:
            yield replace(learner, name=f"{learner.name}, d = {d}", hidden_size=d)
        if task.needs_future:
            yield replace(learner, name=f"{learner.name}, both directions", bidirectional=True)
        if task.window:
            yield replace(learner, name=f"{learner.name}, stateful", is_stateful=True)


def cell_learners(name: str, maker: LayerMaker, task: Task) -> Iterator[Learner]:
    """Yield how a cell of somebody's tries a task, with about as many parameters as an LSTM of torch.

    Args:
        name: What the cell is called in tables.
        maker: Makes its layers.
        task: The task; one with windows is tried stateless and stateful.
    """
    n, d = task.input_size, task.hidden_sizes["lstm"]
    learner = Learner(name, "lstm", hidden_size=maker.hidden_size(n, 4 * d * (n + d + 2)), maker=maker)
    if not task.window:
        yield learner
        return
    yield replace(learner, name=f"{name}, stateless")
    yield replace(learner, name=f"{name}, stateful", is_stateful=True)


def set_biases(layer: Any, learner: Learner, steps: int) -> None:
    """Set the forget gate's biases of a fresh LSTM as the learner wants them; torch's second ones become zero there.

    Args:
        layer: torch's layer.
        learner: Says which biases are set.
        steps: The task's time steps, the longest lag of chrono.
    """
    import torch

    if learner.is_plain:
        return
    d = layer.hidden_size
    with torch.no_grad():
        first, second = layer.bias_ih_l0, layer.bias_hh_l0
        if learner.forget_bias is not None:
            first[d : 2 * d], second[d : 2 * d] = learner.forget_bias, 0
        else:
            lags = torch.empty(d).uniform_(1, max(2, steps - 1)).log()
            first[:d], first[d : 2 * d], second[: 2 * d] = -lags, lags, 0
