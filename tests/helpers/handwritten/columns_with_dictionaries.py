"""Columns, a dictionary of parameters and a dictionary of gradients, a prediction besides, as in course notebooks."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_harness.array_types import Array

Parameters = dict[str, Array]


def softmax(x: Array) -> Array:
    e_x = np.exp(x - np.max(x))
    return e_x / e_x.sum(axis=0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def rnn_cell_forward(xt: Array, a_prev: Array, parameters: Parameters) -> tuple[Array, Array, Any]:
    Wax, Waa, Wya = parameters["Wax"], parameters["Waa"], parameters["Wya"]
    ba, by = parameters["ba"], parameters["by"]
    a_next = np.tanh(np.dot(Waa, a_prev) + np.dot(Wax, xt) + ba)
    yt_pred = softmax(np.dot(Wya, a_next) + by)
    return a_next, yt_pred, (a_next, a_prev, xt, parameters)


def rnn_cell_backward(da_next: Array, cache: Any) -> dict[str, Array]:
    a_next, a_prev, xt, parameters = cache
    dtanh = (1 - a_next**2) * da_next
    dxt = np.dot(parameters["Wax"].T, dtanh)
    dWax = np.dot(dtanh, xt.T)
    da_prev = np.dot(parameters["Waa"].T, dtanh)
    dWaa = np.dot(dtanh, a_prev.T)
    dba = np.sum(dtanh, axis=1, keepdims=True)
    return {"dxt": dxt, "da_prev": da_prev, "dWax": dWax, "dWaa": dWaa, "dba": dba}


def rnn_cell_backward_of_new_state(da_next: Array, cache: Any) -> dict[str, Array]:
    """Wrong: the recurrent weights get the new state for the old one."""
    gradients = rnn_cell_backward(da_next, cache)
    a_next = cache[0]
    return {**gradients, "dWaa": np.dot((1 - a_next**2) * da_next, a_next.T)}


def rnn_forward(x: Array, a0: Array, parameters: Parameters) -> tuple[Array, Array, Any]:
    caches = []
    _, m, T_x = x.shape
    n_y, n_a = parameters["Wya"].shape
    a, y_pred = np.zeros((n_a, m, T_x)), np.zeros((n_y, m, T_x))
    a_next = a0
    for t in range(T_x):
        a_next, yt_pred, cache = rnn_cell_forward(x[:, :, t], a_next, parameters)
        a[:, :, t] = a_next
        y_pred[:, :, t] = yt_pred
        caches.append(cache)
    return a, y_pred, (caches, x)


def rnn_backward(da: Array, caches: Any) -> dict[str, Array]:
    caches, x = caches
    n_a, m, T_x = da.shape
    n_x = x.shape[0]
    dx, dWax, dWaa = np.zeros((n_x, m, T_x)), np.zeros((n_a, n_x)), np.zeros((n_a, n_a))
    dba, da_prevt = np.zeros((n_a, 1)), np.zeros((n_a, m))
    for t in reversed(range(T_x)):
        gradients = rnn_cell_backward(da[:, :, t] + da_prevt, caches[t])
        dx[:, :, t], da_prevt = gradients["dxt"], gradients["da_prev"]
        dWax += gradients["dWax"]
        dWaa += gradients["dWaa"]
        dba += gradients["dba"]
    return {"dx": dx, "da0": da_prevt, "dWax": dWax, "dWaa": dWaa, "dba": dba}


def rnn_backward_last_bias(da: Array, caches: Any) -> dict[str, Array]:
    """Wrong: the bias gets the gradient of the first step alone."""
    gradients = rnn_backward(da, caches)
    steps, x = caches
    later = rnn_backward(da[:, :, 1:], (steps[1:], x[:, :, 1:]))
    return {**gradients, "dba": gradients["dba"] - later["dba"]}


def lstm_cell_forward(
    xt: Array, a_prev: Array, c_prev: Array, parameters: Parameters
) -> tuple[Array, Array, Array, Any]:
    concat = np.concatenate((a_prev, xt), axis=0)
    ft = sigmoid(np.dot(parameters["Wf"], concat) + parameters["bf"])
    it = sigmoid(np.dot(parameters["Wi"], concat) + parameters["bi"])
    cct = np.tanh(np.dot(parameters["Wc"], concat) + parameters["bc"])
    c_next = ft * c_prev + it * cct
    ot = sigmoid(np.dot(parameters["Wo"], concat) + parameters["bo"])
    a_next = ot * np.tanh(c_next)
    yt_pred = softmax(np.dot(parameters["Wy"], a_next) + parameters["by"])
    return a_next, c_next, yt_pred, (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters)


def lstm_cell_backward(da_next: Array, dc_next: Array, cache: Any) -> dict[str, Array]:
    _, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters = cache
    n_a = a_prev.shape[0]
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    dc = dc_next + ot * (1 - np.square(np.tanh(c_next))) * da_next
    dcct, dit, dft = dc * it * (1 - cct**2), dc * cct * it * (1 - it), dc * c_prev * ft * (1 - ft)
    concat = np.concatenate((a_prev, xt), axis=0).T
    gradients = {}
    dconcat = 0.0
    for letter, da in (("f", dft), ("i", dit), ("c", dcct), ("o", dot)):
        gradients[f"dW{letter}"] = np.dot(da, concat)
        gradients[f"db{letter}"] = np.sum(da, axis=1, keepdims=True)
        dconcat = dconcat + np.dot(parameters[f"W{letter}"].T, da)
    return {"dxt": dconcat[n_a:], "da_prev": dconcat[:n_a], "dc_prev": dc * ft, **gradients}


def lstm_cell_backward_output_slope(da_next: Array, dc_next: Array, cache: Any) -> dict[str, Array]:
    """Wrong: the output gate has no slope in the gradient of its own weights."""
    gradients = lstm_cell_backward(da_next, dc_next, cache)
    c_next, a_prev, xt = cache[1], cache[2], cache[8]
    dot = da_next * np.tanh(c_next)
    return {**gradients, "dWo": np.dot(dot, np.concatenate((a_prev, xt), axis=0).T)}


def lstm_cell_backward_swapped(da_next: Array, dc_next: Array, cache: Any) -> dict[str, Array]:
    """Wrong: the gradient of the forget gate's weights stands under the input gate's name, and the other way round."""
    gradients = lstm_cell_backward(da_next, dc_next, cache)
    return {**gradients, "dWf": gradients["dWi"], "dWi": gradients["dWf"]}


def lstm_forward(x: Array, a0: Array, parameters: Parameters) -> tuple[Array, Array, Array, Any]:
    caches = []
    _, m, T_x = x.shape
    n_y, n_a = parameters["Wy"].shape
    a, c, y = np.zeros((n_a, m, T_x)), np.zeros((n_a, m, T_x)), np.zeros((n_y, m, T_x))
    a_next, c_next = a0, np.zeros((n_a, m))
    for t in range(T_x):
        a_next, c_next, yt, cache = lstm_cell_forward(x[:, :, t], a_next, c_next, parameters)
        a[:, :, t], y[:, :, t], c[:, :, t] = a_next, yt, c_next
        caches.append(cache)
    return a, y, c, (caches, x)


def lstm_backward(da: Array, caches: Any) -> dict[str, Array]:
    caches, x = caches
    n_a, m, T_x = da.shape
    dx, da_prevt, dc_prevt = np.zeros(x.shape), np.zeros((n_a, m)), np.zeros((n_a, m))
    total: dict[str, Any] = {}
    for t in reversed(range(T_x)):
        gradients = lstm_cell_backward(da[:, :, t] + da_prevt, dc_prevt, caches[t])
        dx[:, :, t], da_prevt, dc_prevt = (gradients.pop(name) for name in ("dxt", "da_prev", "dc_prev"))
        total = {name: total.get(name, 0) + value for name, value in gradients.items()}
    return {"dx": dx, "da0": da_prevt, **total}


RIGHT = ("rnn_cell_forward", "rnn_forward", "lstm_cell_forward", "lstm_forward")
WRONG = {
    "rnn_cell_forward,rnn_cell_backward_of_new_state": "gradient of the recurrent weights",
    "rnn_forward,rnn_backward_last_bias": "gradient of the bias",
    "lstm_cell_forward,lstm_cell_backward_output_slope": "gradients of the output gate",
    "lstm_cell_forward,lstm_cell_backward_swapped": "forget gate",
}
