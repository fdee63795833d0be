"""Properties that hold for any recurrent cell or sequence, asked of the driven module itself: no equation is needed.

`judge` runs them within a budget of time and gives a record for each; `reach` looks for faults that begin only above
some number of rows, units or steps; `layout` says what is wrong with a layer whose outputs lie otherwise than its
inputs.
"""
