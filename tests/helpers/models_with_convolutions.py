"""Models with convolutions: frames, spectrograms, channels in front of the steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class ConvolutionalCell(nn.Module):
    """A convolutional LSTM cell: gates stacked input, forget, output, candidate."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.conv = nn.Conv2d(channels + units, 4 * units, 3, padding=1)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, o, g = torch.split(self.conv(torch.cat([x, h], 1)), self.units, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class Frames(nn.Module):
    """Frames (B, T, C, H, W) in, the next one (B, C, H, W) out."""

    def __init__(self, channels: int = 1, units: tuple[int, ...] = (4, 3)) -> None:
        super().__init__()
        widths = [channels, *units]
        self.units = units
        self.cells = nn.ModuleList(map(ConvolutionalCell, widths[:-1], widths[1:]))
        self.head = nn.Conv2d(widths[-1], channels, 1)

    def following(self, h: Tensor, c: Tensor, _start: Tensor) -> tuple[Tensor, Tensor]:
        return h, c

    def forward(self, x: Tensor) -> Tensor:
        rows, steps, _, height, width = x.shape
        for cell, units in zip(self.cells, self.units, strict=True):
            start = x.new_zeros(rows, units, height, width)
            h, c, outputs = start, start, []
            for t in range(steps):
                h, c = cell(x[:, t], self.following(h, c, start))
                outputs.append(h)
            x = torch.stack(outputs, 1)
        return self.head(x[:, -1])


class FramesNotCarried(Frames):
    """Every step starts from zero."""

    def following(self, h: Tensor, c: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        return start, start


class Speech(nn.Module):
    """Spectrograms (B, 1, bands, T) with lengths: masked convolutions, packed rows, both directions added."""

    masks = True

    def __init__(self, bands: int = 8, channels: int = 3, units: int = 9) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, channels, (5, 3), stride=(2, 1), padding=(2, 1))
        self.after = nn.Conv2d(channels, channels, 3, padding=1)
        self.rnn = nn.GRU(channels * ((bands + 1) // 2), units, bidirectional=True)

    def as_steps(self, x: Tensor) -> Tensor:
        return x.permute(3, 0, 1, 2).flatten(2)

    def masked(self, x: Tensor, lengths: Tensor) -> Tensor:
        inside = torch.arange(x.shape[3]) < lengths[:, None]
        return x * inside[:, None, None].to(x.dtype) if self.masks else x

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        x = torch.relu(self.masked(self.conv(self.masked(x, lengths)), lengths))
        steps = self.as_steps(self.after(x))
        packed = pack_padded_sequence(steps, lengths, enforce_sorted=False)
        outputs = pad_packed_sequence(self.rnn(packed)[0])[0]
        return outputs.unflatten(2, (2, -1)).sum(2).transpose(0, 1)


class UnmaskedSpeech(Speech):
    """Its convolutions read a little of the padding, as those of many models do."""

    masks = False


class SpeechByAView(Speech):
    """A view in the place of a transpose mixes bands and steps."""

    def as_steps(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[3], -1).transpose(0, 1)


class Signals(nn.Module):
    """Signals (B, channels, T) in, classes out."""

    def __init__(self, channels: int = 6, units: int = 8) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, 10, 5, padding=2)
        self.rnn = nn.LSTM(10, units, batch_first=True)
        self.head = nn.Linear(units, 4)

    def of_last(self, outputs: Tensor) -> Tensor:
        return outputs[:, -1]

    def forward(self, x: Tensor) -> Tensor:
        outputs, _ = self.rnn(torch.tanh(self.conv(x)).transpose(1, 2))
        return self.head(self.of_last(outputs))


class SignalsLastRow(Signals):
    """It takes the last row where the last step is meant."""

    def of_last(self, outputs: Tensor) -> Tensor:
        return outputs[-1]
