"""IdentificationRecord, the second step of a validation: which cell a target computes, and which parameter is which."""
