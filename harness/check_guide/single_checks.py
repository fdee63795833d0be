"""Checks that stand in no registry: those of entries, pairs, processes, and of what is asked once of a candidate."""

from __future__ import annotations

from rnn_harness.check_guide.bounds_in_words import EXACT, PROVED
from rnn_harness.check_guide.check_description import CheckDescription

_COMPLEX_STEP_AND_QUOTIENT = "the rounding of a complex step in float64, and the error of a 200-bit difference quotient"
_SIZE = (
    "the proved rounding bound where the equations are known; else how far the target's own results move by rounding"
)
_RATIONALS = "none: the numbers are computed as fractions"

ENTRY_CHECKS = (
    CheckDescription(
        "text.audit",
        "Compare what the audit finds in a print (brackets, shapes, numbers) with the errata that are declared: "
        "no more, and no less.",
        EXACT,
        witness="text",
    ),
    CheckDescription(
        "equation.numeric",
        "Compare the derived derivative of one equation with complex steps, entry by entry, and with a difference "
        "quotient of 200-bit values.",
        _COMPLEX_STEP_AND_QUOTIENT,
        witness="numeric",
    ),
    CheckDescription(
        "equation.symbolic",
        "Prove with SymPy that the derived Jacobian of one equation is right, as polynomials, at sizes 1 and 2.",
        EXACT,
        witness="symbolic",
    ),
    CheckDescription(
        "equation.torch",
        "Evaluate and differentiate one equation with torch in float64: value and gradients must lie in the balls.",
        PROVED,
        witness="torch",
    ),
    CheckDescription(
        "loss.reference",
        "Compare the reference's cross-entropy and its gradient with the printed loss of a softmax.",
        PROVED,
        witness="reference",
    ),
    CheckDescription(
        "example.recomputed", "Recompute every printed equality of numbers.", _RATIONALS, witness="numeric"
    ),
    CheckDescription(
        "example.places",
        "Count how many places a computation on a whiteboard needs, with wiping out and without.",
        EXACT,
        witness="symbolic",
    ),
    CheckDescription("table.codes", "Compare a printed table of codes with one_hot.", EXACT, witness="reference"),
    CheckDescription(
        "table.last-event",
        "Compare the words at the last event of a table of states with the signs of its changes.",
        EXACT,
        witness="symbolic",
    ),
    CheckDescription(
        "program.parameters",
        "Count the parameters of a printed program by formula and in the arrays of the reference.",
        EXACT,
        witness="reference",
    ),
    CheckDescription(
        "shapes.typed",
        "Compare the shapes that a document declares with those of the equations and of the reference's arrays.",
        EXACT,
        witness="reference",
    ),
    CheckDescription(
        "identity.numbers",
        "Evaluate both sides of a printed sum or derivative with concrete Jacobians of a drawn recurrence.",
        "balls of 200 bits: the two sides must be equal in them",
        witness="numeric",
    ),
    CheckDescription(
        "identity.arguments",
        "Compare the arguments that are printed with what the output depends on after all substitutions.",
        EXACT,
        witness="symbolic",
    ),
    CheckDescription(
        "equivalence.proof",
        "Prove that two specs are equal as polynomials under the printed map of parameters, or show where they differ.",
        EXACT,
        witness="symbolic",
    ),
    CheckDescription(
        "backward.proof",
        "Prove with SymPy that the derived backward of a whole cell is its Jacobian, as polynomials, at small sizes.",
        EXACT,
        witness="symbolic",
    ),
)
"""Checks of what the documents print; none of them needs a subject."""

TARGET_CHECKS = (
    CheckDescription(
        "kernel.dispatch", "Read in torch's profiler which kernel ran: it must be the one that was asked for.", EXACT
    ),
    CheckDescription(
        "kernel.process", "Record how the process that judges a kernel ended, where it did not end well.", EXACT
    ),
    CheckDescription(
        "process.ended", "Record how the process of a candidate ended: a hang, a crash, too much memory.", EXACT
    ),
    CheckDescription(
        "process.confined", "Record that the process of a candidate had no network and could write to no file.", EXACT
    ),
    CheckDescription(
        "numbers.reevaluated",
        "Hold numbers of the runs that were judged against the equations, in the process that waits for them.",
        PROVED,
    ),
    CheckDescription(
        "identification.unique",
        "Find which equations the candidate computes, by running it with one block of parameters at a time.",
        PROVED,
    ),
    CheckDescription(
        "model.part", "Judge a recurrent part of a model by itself, as a cell, by the equations of what it is.", PROVED
    ),
    CheckDescription(
        "weights.trained", "Judge the candidate with the trained weights of --weights, outputs and gradients.", PROVED
    ),
    CheckDescription(
        "expected-failure",
        "Compare the declared known failures with what was refuted: one that agrees now is an error.",
        EXACT,
    ),
    CheckDescription(
        "precision.functions",
        "Measure how accurate the candidate's tanh and sigmoid are; it refutes nothing, and says which bound is used.",
        "nothing is refuted",
    ),
    CheckDescription(
        "behaviour.takes-format", "Record which formats the candidate computes in, and why not in others.", EXACT
    ),
    CheckDescription(
        "consistency.large-batches",
        "Compare the rows of large batches with the same rows in small batches.",
        _SIZE,
    ),
    CheckDescription(
        "consistency.large-sizes",
        "Judge sizes at which tiles and vectors end, up to 1,024 units: it must be what it is at small sizes.",
        _SIZE,
    ),
    CheckDescription(
        "consistency.long-gradients",
        "Compare the gradients through a long sequence with those put together from its pieces.",
        _SIZE,
    ),
)
"""What is recorded once of a kernel or a candidate."""
