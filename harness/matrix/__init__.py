"""Many targets, each in the environment of its package: a table of implementations and properties.

1. `suite`: a TOML file of environments and targets.
2. `environment`: virtual environments, made once and used again; `installers`: what fills them.
3. `judging`: a target is validated by the program of its environment, in a process of its own.
4. `run`: the targets of a suite as jobs that any process can do, and a journal that `--resume` goes on with.
5. `table`: what the records say, as rows and cells; `history`: what changed since the last run.
"""

from __future__ import annotations

from rnn_harness.matrix.suite import Suite, SuiteTarget, load_suite

__all__ = ["Suite", "SuiteTarget", "load_suite"]
