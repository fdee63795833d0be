"""What we believe, in NumPy: cells over whole sequences, forward and hand-written backward.

Written from the documents by hand; nothing here is generated, and nothing here knows the specs or the oracles.
"""

from __future__ import annotations

from rnn_harness.references.activations import sigmoid, softmax
from rnn_harness.references.arguments import ArgumentError
from rnn_harness.references.array_types import Array
from rnn_harness.references.bptt import chunked_bptt, truncated_bptt
from rnn_harness.references.clipping import clip_by_norm, clip_by_value, global_norm
from rnn_harness.references.loss import cross_entropy
from rnn_harness.references.output_layer import OutputLayer
from rnn_harness.references.protocol import Arrays, Gradients, Reference, Run
from rnn_harness.references.registry import get_reference, reference_names
from rnn_harness.references.sequences import chronological_split, one_hot, stateful_batches, windows
from rnn_harness.references.wirings import (
    encode_decode,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
)

__all__ = [
    "ArgumentError",
    "Array",
    "Arrays",
    "Gradients",
    "OutputLayer",
    "Reference",
    "Run",
    "chronological_split",
    "chunked_bptt",
    "clip_by_norm",
    "clip_by_value",
    "cross_entropy",
    "encode_decode",
    "get_reference",
    "global_norm",
    "many_to_many",
    "many_to_one",
    "one_hot",
    "one_to_many",
    "one_to_one",
    "reference_names",
    "sigmoid",
    "softmax",
    "stateful_batches",
    "truncated_bptt",
    "windows",
]
