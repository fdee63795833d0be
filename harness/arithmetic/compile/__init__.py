"""Turn a program into straight-line NumPy code: one function for a step, one for a whole sequence."""
