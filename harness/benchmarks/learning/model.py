"""The model that is trained: a recurrent layer with a linear layer on top, and its loss on a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.benchmarks.learning.gradient_rate import gradient_rate
from rnn_harness.benchmarks.learning.layer_maker import LayerStack
from rnn_harness.benchmarks.learning.learner import Learner, set_biases
from rnn_harness.benchmarks.learning.task import Batch, Task
from rnn_harness.families import FAMILIES, torch_class


@dataclass(frozen=True)
class LearningModel:
    """A recurrent layer with a linear layer on top.

    Attributes:
        task: The task, which says which states are read.
        learner: Says whether the state is carried from window to window.
        layer: The recurrent layer.
        top: The linear layer.
    """

    task: Task
    learner: Learner
    layer: Any
    top: Any

    @staticmethod
    def build(task: Task, learner: Learner) -> LearningModel:
        """Build the model for a task, with fresh parameters.

        Args:
            task: It decides the sizes and the number of layers.
            learner: The cell, its directions and how its biases begin.
        """
        import torch

        d = learner.units(task)
        if learner.maker is not None:
            stack = LayerStack(learner.maker, task.input_size, d, task.layers)
            return LearningModel(task, learner, stack, torch.nn.Linear(d, task.output_size))
        layer_class = torch_class(FAMILIES[learner.family].torch_class)
        layer = layer_class(task.input_size, d, task.layers, bidirectional=learner.bidirectional)
        set_biases(layer, learner, task.steps)
        return LearningModel(
            task, learner, layer, torch.nn.Linear(d * (2 if learner.bidirectional else 1), task.output_size)
        )

    @property
    def parameters(self) -> list[Any]:
        """All trained parameters."""
        return [*self.layer.parameters(), *self.top.parameters()]

    def gradient_rate(self) -> float | None:
        """Return the gradient's factor per step; None for a stack, both directions or a layer that is not torch's."""
        if self.learner.bidirectional or self.task.layers > 1 or self.learner.maker is not None:
            return None
        return gradient_rate(self.layer, self.learner.family, self.task.input_size)

    def loss(self, batch: Batch) -> Any:
        """Return the loss of a batch as a tensor.

        Args:
            batch: Sequences of the task.

        Returns:
            A scalar with its graph: the mean squared error, or the cross-entropy in nats.
        """
        return _loss(self.task, self.top(self._states(batch.inputs)), batch.targets)

    def test_loss(self, batch: Batch) -> float:
        """Return the loss of a batch, without a graph.

        Args:
            batch: Sequences of the task.
        """
        import torch

        with torch.no_grad():
            return float(self.loss(batch))

    def _states(self, inputs: Array) -> Any:
        """Return the states that are read: the last ones (B, d) or all (T, B, d); window by window, if there are."""
        import torch

        x: Any = torch.from_numpy(inputs)
        if not self.task.window:
            outputs = self.layer(x)[0]
            return outputs if self.task.asks_every_step else outputs[-1]
        parts, state = [], None
        for window in x.split(self.task.window):
            outputs, last = self.layer(window, state)
            parts.append(outputs)
            # The gradient ends where a window does; the state goes on, or does not.
            detached = tuple(tensor.detach() for tensor in last) if isinstance(last, tuple) else last.detach()
            state = detached if self.learner.is_stateful else None
        return torch.cat(parts)


def _loss(task: Task, outputs: Any, targets: Array) -> Any:
    import torch

    if task.asks_numbers:
        return torch.nn.functional.mse_loss(outputs, torch.from_numpy(targets))
    classes = torch.from_numpy(targets.astype(np.int64)).reshape(-1)
    return torch.nn.functional.cross_entropy(outputs.reshape(-1, task.output_size), classes, ignore_index=-1)
