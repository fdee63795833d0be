"""The terms of the page, each with its definition."""

from __future__ import annotations

INITIALISATIONS: dict[str, str] = {
    "torch": "an initialisation: parameters uniform within 1/√d, torch's default",
    "orthogonal": "an initialisation: recurrent weights orthogonal (Saxe et al. 2014), input weights as Glorot "
    "and Bengio 2010 draw them, no bias: Keras' default",
    "gain-0.9": "an initialisation: recurrent weights from N(0, 0.81/d), with small inputs; below a gain of 1 a "
    "large tanh network is quiet (Sompolinsky et al. 1988)",
    "gain-1.5": "an initialisation: recurrent weights from N(0, 2.25/d), with small inputs; above a gain of 1 a "
    "large tanh network is chaotic (Sompolinsky et al. 1988)",
    "gain-3": "an initialisation: recurrent weights from N(0, 9/d), with small inputs; far in the chaotic range "
    "(Sompolinsky et al. 1988)",
    "keep": "an initialisation: torch's default with a bias of 4 for a GRU's update gate, which then keeps the state",
    "forget-1": "an initialisation: torch's default with a bias of 1 for the forget gate (Gers et al. 2000, Jozefowicz "
    "et al. 2015)",
    "forget-5": "an initialisation: torch's default with a bias of 5 for the forget gate",
    "chrono": "an initialisation: torch's default with the logarithms of time spans as the forget gate's bias, and "
    "their opposite as the input gate's (Tallec and Ollivier 2018)",
}
"""The initialisations that are measured, with their papers."""
GLOSSARY: dict[str, str] = {
    "reference": "the NumPy implementation of a cell, forward and backward, written by hand from its document",
    "witness": "who is asked whether an equation is right: the audit of the print (text), the reference, numeric "
    "derivatives, a symbolic proof, torch",
    "error/bound": "the worst error seen, as a share of what rounding may do; above 1 is refuted",
    "vacuous": "the outcome of a check whose cases could not have failed, whatever the implementation does",
    "bits": "effective precision: minus the logarithm to base 2 of the relative error",
    "gradient horizon": "the number of steps after which a gradient falls below 2⁻²³ of itself: added to a gradient of "
    "size one, float32 keeps nothing of it",
    "decay factor": "the factor by which the norm of the gradient shrinks in one step, as a geometric mean",
    "half-life": "the number of steps after which half of the gradient is left",
    "Lyapunov exponent": "the logarithm of the factor over a long run; positive means chaos",
    "roofline": "the time that this machine needs at least for the same arithmetic and memory",
    "mutant": "a reference that is wrong on purpose, by one edited line; every check must refute some",
    "kernel": "an implementation in torch: native, oneDNN, cuDNN, compiled, or written in Triton",
    **INITIALISATIONS,
    "ahead": "a task that only both directions of time can solve",
    "carry": "a task that only a state carried from batch to batch can solve",
    "claim": "a sentence of a document that can be decided",
    "erratum": "something that a document prints wrong",
}
"""Definitions by term, in the words of the field."""
