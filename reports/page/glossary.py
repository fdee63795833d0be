"""The terms of the page and of the documentation, each with its definition."""

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
_SHOWN_NAMES = {
    "torch": "torch's default",
    "keep": "update bias +4",
    "forget-1": "forget bias +1",
    "forget-5": "forget bias +5",
}
"""Names of initialisations for readers, where the short name is a word or a convention as well."""


def shown_initialisation(name: str) -> str:
    """Return how the page names an initialisation.

    Args:
        name: Its short name, as ``bench`` takes it.
    """
    return _SHOWN_NAMES.get(name, name)


WITNESSES: dict[str, str] = {
    "text": "a witness: the audit of the print; does it parse, do its shapes fit, is every erratum found",
    "reference": "the NumPy implementation of a cell, forward and backward, written by hand from its document",
    "numeric": "a witness: the derived backward against complex steps and difference quotients of 200-bit values",
    "symbolic": "a witness: a proof by SymPy that the derived backward is the derivative",
    "torch (witness)": "a witness: the derived backward against torch's autograd of the same expression",
}
"""Who is asked whether an equation is right."""
CHECKS_OF_MUTANTS: dict[str, str] = {
    "forward.equation": "every equation by itself, on the reference's own operands",
    "forward.outputs": "outputs and final states are the traced values, bit for bit",
    "forward.sequence": "outputs over the sequence lie within the bound of the whole sequence",
    "backward.screen": "all gradients at once, along one random direction",
    "backward.blocks": "each gradient along a random direction of its own",
    "backward.entries": "every single number of every gradient",
    "backward.bound": "every gradient lies within its proved bound",
    "backward.quotient": "gradients against a central difference of 200-bit values",
    "backward.autograd": "gradients against torch's, of the same expression",
}
"""The checks that refute wrong references, each with what it compares."""
TERMS: dict[str, str] = {
    "spec": "the equations that together define one step of a cell, with the shapes of their symbols (gru.keep.column)",
    "witness": "who is asked whether an equation is right: the audit of the print (text), the reference, numeric "
    "derivatives, a symbolic proof, torch",
    "independent": "how many witnesses agree that share nothing: the print, the reference, and the derivation, for "
    "which numeric, symbolic and torch speak together",
    "case": "sizes, format, device, numbers and output gradients on which something is tried",
    "record": "what one check says of one subject on one case",
    "bound": "what rounding may do to a result at most, proved for any order of summation in the format",
    "error/bound": "the worst error seen, as a share of what rounding may do; above 1 is refuted",
    "refuted": "the outcome of a check that found a number outside its bound, or another contradiction",
    "vacuous": "the outcome of a check whose cases could not have failed, whatever the implementation does",
    "not run": "the outcome of a check that could not decide, with the reason",
    "bits": "effective precision: minus the logarithm to base 2 of the relative error",
    "gradient horizon": "the number of steps after which a gradient falls below 2⁻²³ of itself: added to a gradient "
    "of size one, float32 keeps nothing of it",
    "decay factor": "the factor by which the norm of the gradient shrinks in one step, as a geometric mean",
    "half-life": "the number of steps after which half of the gradient is left",
    "Lyapunov exponent": "the logarithm of the factor over a long run; positive means chaos",
    "bound per step": "what the factor of one step cannot exceed, from the singular values of the recurrent weights; "
    "an LSTM has no such bound",
    "roofline": "the time that this machine needs at least for the same arithmetic and memory",
    "closed form": "the number of parameters as a formula in the numbers of inputs n, units d and outputs k",
    "mutant": "a reference that is wrong on purpose, by one edited line; every check must refute some",
    "kernel": "an implementation in torch: native, oneDNN, cuDNN, compiled, or written in Triton",
    "candidate": "a third-party cell under validation",
    "identification": "finding out by running a cell what it computes: family, variant, which parameter is which",
    "metamorphic property": "a relation between runs of one cell that holds whatever its numbers: later inputs change "
    "nothing earlier",
    "realistic sizes": "long sequences, sizes that no tile divides, large states, gradients of any size",
    "runtime behaviour": "memory layout, training mode, frozen inputs, rows that are not finite, vmap, autocast",
    "lengths": "whether rows of different lengths give what each row gives by itself",
    "wiring": "what a model does around its recurrent parts: layers, directions, order of rows and steps",
    "keep and write": "conventions of a GRU's update gate z: with keep, z = 1 keeps the old state (torch); with write, "
    "z = 1 takes the candidate",
    "reset before and after": "whether a GRU's reset gate acts before the recurrent product (Cho et al. 2014) or "
    "after it (torch, cuDNN)",
    "ahead": "a task that only both directions of time can solve",
    "carry": "a task that only a state carried from batch to batch can solve",
    "without a memory": "the least loss that a model can reach that sees one step alone, in closed form",
    "claim": "a sentence of a document that can be decided",
    "erratum": "something that a document prints wrong",
}
"""Terms that are neither an initialisation, a witness nor a check."""
SHOWN_INITIALISATIONS = {
    shown: text if shown == name else f"{text} ({name} in the output of bench)"
    for name, text in INITIALISATIONS.items()
    for shown in [shown_initialisation(name)]
}
"""Definitions of the initialisations by the names that the page shows."""
GLOSSARY: dict[str, str] = {**TERMS, **WITNESSES, **SHOWN_INITIALISATIONS}
"""Definitions by term, in the words of the field."""
HEADINGS: dict[str, str] = {
    "initialisation": "how the parameters are drawn before training; the glossary defines each",
    "decay factor per step": GLOSSARY["decay factor"],
    "decay factor before": f"before training: {GLOSSARY['decay factor']}",
    "after": f"after training: {GLOSSARY['decay factor']}",
    "gradient horizon in float32": GLOSSARY["gradient horizon"],
    "share of the roofline": f"as a share of {GLOSSARY['roofline']}",
    "pass": "forward alone, backward alone, or both",
    "kernels that ran": "what torch's profiler saw running",
    "solved by (seeds)": "how many seeds reached a loss that needs a memory within the steps of training",
    "bits after 1,000 steps": f"over 1,000 steps, 50 where a kernel is interpreted; {GLOSSARY['bits']}",
    "torch": GLOSSARY["torch (witness)"],
    "metamorphic": GLOSSARY["metamorphic property"],
    "metamorphic properties": GLOSSARY["metamorphic property"],
    "what it computes": GLOSSARY["identification"],
    "any recurrent cell": "what holds for every recurrent cell, asked where no equation is known",
    "kernel that ran": "whether the kernel that was asked for is the one that ran",
    "evaluated again": "whether numbers that came back from the cell's process lie within the bounds here too",
    "wiring of a model": GLOSSARY["wiring"],
    "process": "how the process ended in which the cell ran",
    "wrong reference": GLOSSARY["mutant"],
    "part": "the part of the reference where the edit is",
    "what would make it false": "what is tried on the same evidence, which must then refute the claim",
    **CHECKS_OF_MUTANTS,
}
"""Headings of tables that are no terms themselves, with their definitions."""


def definition_of(heading: str) -> str:
    """Return the definition of a heading of a table; empty where it is plain English.

    Args:
        heading: Its text.
    """
    return HEADINGS.get(heading) or GLOSSARY.get(heading, "")
