"""The output layer y_t = O(W_y s_t + b_y) of 003:190, with O the softmax, the sigmoid or the identity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Inexact

from rnn_harness.references.activations import sigmoid, sigmoid_slope_to, softmax
from rnn_harness.references.arguments import expect_choice, expect_names, expect_shape
from rnn_harness.references.array_types import Array
from rnn_harness.references.protocol import Arrays


@dataclass(frozen=True)
class OutputLayer:
    """A dense layer on every hidden state.

    Attributes:
        activation: ``"softmax"``, ``"sigmoid"`` or ``"identity"``.
    """

    activation: str = "softmax"

    def __post_init__(self) -> None:
        expect_choice("activation", self.activation, ("softmax", "sigmoid", "identity"))

    def parameter_shapes(self, hidden_size: int, output_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of W_y (k, d) and b_y (k,).

        Args:
            hidden_size: the number d of entries that the layer reads; 2d' after a bidirectional cell of hidden size d'.
            output_size: the number k of logits.
        """
        return {"W_y": (output_size, hidden_size), "b_y": (output_size,)}

    def forward(self, parameters: Arrays, hidden: Inexact[Array, "T B d"]) -> Inexact[Array, "T B k"]:
        """Apply the layer to every hidden state.

        Args:
            parameters: W_y (k, d) and b_y (k,).
            hidden: the hidden states.

        Returns:
            The outputs y.

        Raises:
            ArgumentError: on names or shapes that do not fit.
        """
        expect_names("parameters", parameters, self.parameter_shapes(0, 0))
        k = len(parameters["b_y"])
        weight = expect_shape("parameter W_y", parameters["W_y"], (k, hidden.shape[-1]))
        logits: Array = hidden @ weight.T + parameters["b_y"]
        if self.activation == "softmax":
            return softmax(logits)
        return sigmoid(logits) if self.activation == "sigmoid" else logits

    def backward(
        self,
        parameters: Arrays,
        hidden: Inexact[Array, "T B d"],
        y: Inexact[Array, "T B k"],
        d_y: Inexact[Array, "T B k"],
    ) -> tuple[Inexact[Array, "T B d"], dict[str, Array]]:
        """Compute the gradients for the hidden states and the parameters.

        Args:
            parameters: W_y (k, d) and b_y (k,).
            hidden: the hidden states.
            y: the outputs, as `forward` returned them.
            d_y: the gradient for the outputs.

        Returns:
            (the gradient for the hidden states, the gradient for each parameter by name).
        """
        if self.activation == "softmax":
            delta = y * (d_y - (y * d_y).sum(axis=-1, keepdims=True))
        elif self.activation == "sigmoid":
            delta = np.empty_like(y)
            sigmoid_slope_to(y, delta)
            delta = delta * d_y
        else:
            delta = d_y
        return self.backward_logits(parameters, hidden, delta)

    def backward_logits(
        self, parameters: Arrays, hidden: Inexact[Array, "T B d"], delta: Inexact[Array, "T B k"]
    ) -> tuple[Inexact[Array, "T B d"], dict[str, Array]]:
        """Compute what `backward` computes, from the gradient for the logits.

        Args:
            parameters: W_y (k, d) and b_y (k,).
            hidden: the hidden states.
            delta: the gradient for the logits, as `cross_entropy` returns it.

        Returns:
            (the gradient for the hidden states, the gradient for each parameter by name).
        """
        gradients = {"W_y": np.einsum("tbk,tbd->kd", delta, hidden), "b_y": delta.sum(axis=(0, 1))}
        return delta @ parameters["W_y"], gradients
