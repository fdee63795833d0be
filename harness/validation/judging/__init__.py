"""Judging, the fourth step of a validation: every check on an identified target."""
