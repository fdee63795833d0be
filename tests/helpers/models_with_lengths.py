"""Models that are given the lengths of their rows, right and wrong ones."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Packed(nn.Module):
    """A mean over the words of each sentence, of which the lengths are given: x (B, T, n), lengths (B,)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(inputs, units, batch_first=True)

    def mean(self, steps: Tensor, lengths: Tensor) -> Tensor:
        return steps.sum(1) / lengths[:, None]

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        steps, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=x.shape[1])
        return self.mean(steps, lengths)


class MeanWithPadding(Packed):
    def mean(self, steps: Tensor, lengths: Tensor) -> Tensor:
        return steps.mean(1)


class MeanToTheLongest(Packed):
    """Divides by the length of the longest row, which its packed outputs are cut at."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        steps, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        means: Tensor = steps.mean(1)
        return means


class EveryStep(Packed):
    """The outputs of every step instead."""

    def mean(self, steps: Tensor, lengths: Tensor) -> Tensor:
        return steps


class LastPaddedStep(Packed):
    """Reads the last step of the padded outputs, which is past the end of shorter rows."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.rnn(packed)[0], batch_first=True)[0][:, -1]


class EndsAStepEarly(EveryStep):
    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        return super().forward(x, lengths - 1)


class SortedOutputs(Packed):
    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        order = lengths.argsort(descending=True)
        return super().forward(x[order], lengths[order])
