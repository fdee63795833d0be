"""References that are wrong on purpose: what every check must be able to see."""

from __future__ import annotations

from rnn_harness.mutants import claims as _claims
from rnn_harness.mutants import gru as _gru
from rnn_harness.mutants import lstm as _lstm
from rnn_harness.mutants import rnn as _rnn
from rnn_harness.mutants import wrappers as _wrappers
from rnn_harness.mutants.judge import judge_mutant
from rnn_harness.mutants.mutant import Mutant, PatchError, build
from rnn_harness.records.kill_matrix import Kill, MutantResult

MUTANTS: tuple[Mutant, ...] = (*_rnn.MUTANTS, *_gru.MUTANTS, *_lstm.MUTANTS, *_wrappers.MUTANTS, *_claims.MUTANTS)

__all__ = ["MUTANTS", "Kill", "Mutant", "MutantResult", "PatchError", "build", "judge_mutant"]
