"""These tests need the libraries (pip install 'rnn-harness[libraries]'); by default Keras runs on torch."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
