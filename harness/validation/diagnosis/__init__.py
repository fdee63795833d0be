"""Diagnosis, the third step of a validation: which part of a wrong cell is wrong."""
