"""Two cells side by side: are they the same function, under which map of their weights, and where do they part?

Both are identified in workers, each from its own code. What they are is then compared here, from equations alone: a map
of parameters that makes them equal is proved in polynomials, numbers on which they part are found in balls. Last, both
run in workers on numbers that were drawn here, and are held against the bounds of their equations.
"""
