"""Models: what is around recurrent cells. Their parts are found and judged as cells, and the wiring between them."""
