"""A spec's own expression is what is searched: which parameter is which, and which rewrite of it a wrong cell is."""
