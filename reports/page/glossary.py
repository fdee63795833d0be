"""The terms of the page, each with its definition."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "reference": "the NumPy implementation of a cell, forward and backward, written by hand from its document",
    "witness": "who is asked whether an equation is right: the audit of the print (text), the reference, numeric "
    "derivatives, a symbolic proof, torch",
    "error/bound": "the worst error seen, as a share of what rounding may do; above 1 is refuted",
    "bits": "effective precision: minus the logarithm to base 2 of the relative error",
    "gradient horizon": "the number of steps after which a gradient falls below 2⁻²³ of itself: added to a gradient of "
    "size one, float32 keeps nothing of it",
    "decay factor": "the factor by which the norm of the gradient shrinks in one step, as a geometric mean",
    "half-life": "the number of steps after which half of the gradient is left",
    "Lyapunov exponent": "the logarithm of the factor over a long run; positive means chaos",
    "roofline": "the time that this machine needs at least for the same arithmetic and memory",
    "mutant": "a reference that is wrong on purpose, by one edited line; every check must refute some",
    "kernel": "an implementation in torch: native, oneDNN, cuDNN, compiled, or written in Triton",
    "torch": "as an initialisation: uniform up to one over the root of d, torch's default",
    "orthogonal": "recurrent weights orthogonal, input weights Glorot, no bias: Keras' default",
    "gain-0.9": "recurrent weights from N(0, 0.81/d), with small inputs; gain-1.5 and gain-3 likewise",
    "keep": "torch's default with a bias of 4 for a GRU's update gate, which then keeps the state",
    "forget-1": "1 is added to the forget gate's bias (Jozefowicz et al. 2015); forget-5 likewise",
    "chrono": "the forget gate's bias is the logarithm of time spans (Tallec and Ollivier 2018)",
    "ahead": "a task that only both directions of time can solve",
    "carry": "a task that only a state carried from batch to batch can solve",
    "claim": "a sentence of a document that can be decided",
    "erratum": "something that a document prints wrong",
}
"""Definitions by term, in the words of the field."""
