"""References that are wrong on purpose: what every check must be able to see."""

from __future__ import annotations

from rnn_harness.mutants import _gru, _lstm, _rnn, _wrappers
from rnn_harness.mutants._matrix import Fate, Kill, fate, fates
from rnn_harness.mutants._mutant import Mutant, PatchError, build

MUTANTS: tuple[Mutant, ...] = (*_rnn.MUTANTS, *_gru.MUTANTS, *_lstm.MUTANTS, *_wrappers.MUTANTS)

__all__ = ["MUTANTS", "Fate", "Kill", "Mutant", "PatchError", "build", "fate", "fates"]
