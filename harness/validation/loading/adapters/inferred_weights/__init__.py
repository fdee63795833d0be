"""The shapes of a function's parameters, inferred by running it: a parameter gets its shape where it is first used."""
