"""Cells, kernels and jobs that tests share."""

from __future__ import annotations

from pathlib import Path

HELPERS = Path(__file__).parent
"""The folder that holds them, for commands that take a file."""
