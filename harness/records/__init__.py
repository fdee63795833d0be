"""Records: typed, serialisable results. Every report is computed from them alone."""
