"""Without a GPU Triton's kernels run in its interpreter, which it asks for when it is imported.

The tests of this folder share one module of wrong kernels.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

sys.path.insert(0, str(Path(__file__).parent))
