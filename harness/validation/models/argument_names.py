"""What the arguments of models and of their constructors are usually called."""

from __future__ import annotations

import re

_LENGTHS = re.compile(r"(^|_)(len|lens|length|lengths|seqlens?|seq_?lens?|n_?steps)$")
_STATES = re.compile(
    r"^(h|c|s|hc|hx|cx|hs|cs|h_?0|c_?0|h_?t|c_?t|hiddens?|states?|memory|carry|prev|cell)$"
    r"|hidden|state|^prev_|_prev$|^init(ial)?_|^h_|^c_"
)
_MASK = re.compile(r"mask")
_CONTEXT = re.compile(
    r"^(enc(oder|oded)?_?(outputs?|outs?|hiddens?|states?|features?)|(image_?|visual_?)?features?|memory|context|"
    r"annotations?|keys)$"
)
_STEPS = re.compile(
    r"^(x|xs|x_?t|inputs?|input_(seq|step|ids)|seq|sequence|y_prev|(input_)?(tokens?|words?|ids|captions?|text|sentences?))$"
)
_INPUT_OF_NUMBERS = re.compile(r"^(x|xs|input|inputs|seq|sequence|data|obs|history|features|signal|window)$")


def is_lengths(name: str) -> bool:
    """Say whether an argument of this name is the lengths of the rows.

    Args:
        name: The argument's name in ``forward``.
    """
    return _LENGTHS.search(name) is not None


def is_state(name: str) -> bool:
    """Say whether an argument of this name is a state.

    Args:
        name: The argument's name in ``forward``.
    """
    return _STATES.search(name) is not None


def is_mask(name: str) -> bool:
    """Say whether an argument of this name is a mask of the steps.

    Args:
        name: The argument's name in ``forward``.
    """
    return _MASK.search(name) is not None


def is_context(name: str) -> bool:
    """Say whether an argument of this name may be what an encoder gives, at all of its steps or of a picture.

    Args:
        name: The argument's name in ``forward``.
    """
    return _CONTEXT.search(name.lower()) is not None


def is_sequence_of_steps(name: str) -> bool:
    """Say whether an argument of this name is the sequence, or the step, that a model runs over.

    Args:
        name: The argument's name in ``forward``.
    """
    return _STEPS.search(name.lower()) is not None


STATE_METHODS = ("init_hidden", "init_state", "initial_state", "begin_state", "zero_state", "get_initial_state")
"""The methods of a model that give its initial states."""
