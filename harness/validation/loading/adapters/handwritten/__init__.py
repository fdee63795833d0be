"""Cells written by hand on NumPy arrays: how their forward and their own backward are called, and what comes back.

Nothing but names, shapes and difference quotients says how such a cell wants to be called. Every known way is tried at
sizes that differ pairwise, so that no two dimensions can be confused; a way in which anything raises is not the one.

- `cell_source`, `function_source`: something with parameters, of which every call is made anew.
- `argument_names`, `weight_shapes`: what arguments are, and which shapes parameters have, by their names.
- `forward_way`, `forward_search`: a way of calling forward, and the search for it.
- `backward_way`, `backward_search`, `gradient_places`: the same of backward; which gradient belongs to what.
- `call_trial`: one call of forward and backward, and the difference quotients of that call.
- `handwritten_cell`: the cell in the way that was chosen, as rows (B, n) or sequences (T, B, n) on the outside.
"""
