"""These tests need the libraries (pip install 'rnn-harness[libraries]'); by default Keras runs on torch."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
sys.path.insert(0, str(Path(__file__).parent))
