"""Loading, the first step of a validation: from what a user types to a module that can be called."""
