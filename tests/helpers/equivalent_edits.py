"""Which edits of the references change nothing that can be seen, and why: no test can notice them."""

from __future__ import annotations

from tests.helpers.equivalent_cell_edits import EQUIVALENT_IN_CELLS

EQUIVALENT: dict[str, str] = {
    (
        "activations.sigmoid_to: np.multiply(x, -1, out=out) -> np.divide(x, -1, out=out)"
    ): "both are exact: only the sign changes",
    (
        "loss.cross_entropy: chosen = np.take_along_axis(shifted, classes[:, :, None], axis=-1) - "
        "np.log(totals) -> chosen = np.take_along_axis(shifted, classes[:, :, None]) - np.log(totals)"
    ): "the last axis is NumPy's default",
    (
        "loss.cross_entropy: np.put_along_axis(gradient, classes[:, :, None], "
        "np.take_along_axis(gradient, classes[:, :, None], axis=-1) - 1, axis=-1) -> "
        "np.put_along_axis(gradient, classes[:, :, None], np.take_along_axis(gradient, classes[:, :, "
        "None]) - 1, axis=-1)"
    ): "the last axis is NumPy's default",
    (
        "clipping.clip_by_norm: factor = limit / norm if norm > limit else 1.0 -> factor = limit / norm "
        "if norm >= limit else 1.0"
    ): "where norm and limit are equal the factor is 1 both times",
    (
        "bptt.truncated_bptt: last_step[-1] = expect_shape('d_outputs', d_outputs, (steps, "
        "*run.outputs.shape[1:]))[t] -> last_step[-1] = expect_shape('d_outputsX', d_outputs, (steps, "
        "*run.outputs.shape[1:]))[t]"
    ): "the cell's backward refuses another shape before",
    (
        "feedforward.Feedforward.forward: d = len(np.asarray(parameters.get('b', ()))) -> d = "
        "len(parameters.get('b', ()))"
    ): "a list has the length of its array",
    (
        "output_layer.OutputLayer.forward: expect_names('parameters', parameters, "
        "self.parameter_shapes(0, 0)) -> expect_names('parameters', parameters, self.parameter_shapes(1,"
        " 0))"
    ): "the names are the same at every size",
    (
        "output_layer.OutputLayer.forward: expect_names('parameters', parameters, "
        "self.parameter_shapes(0, 0)) -> expect_names('parameters', parameters, self.parameter_shapes(0,"
        " 1))"
    ): "the names are the same at every size",
    (
        "sequences.one_hot: if indices.dtype.kind not in 'iu': -> if indices.dtype.kind not in 'iuX':"
    ): "no dtype has that letter",
    (
        "sequences.stateful_batches: length = (len(series) - 1) // batch if batch > 0 else 0 -> length ="
        " (len(series) - 1) // batch if batch > 0 else 1"
    ): "without a row it is refused, whatever the length",
    (
        "sequences.stateful_batches: if batch < 1 or width < 1 or length < width: -> if batch < 0 or "
        "width < 1 or length < width:"
    ): "without a row the length is 0, less than any width",
    **EQUIVALENT_IN_CELLS,
}
"""Edits that change nothing that can be seen, each with the reason."""
