"""The network of reference_epoch.py: activations, initial weights, forward pass, losses and gradients."""
import math
import sys

import numpy as np

from reference_rng import INIT_WEIGHTS, draws


def unknown(what):
    print(f"reference_epoch.py: does not know {what}", file=sys.stderr)
    sys.exit(2)


def sigmoid(z):
    return (1 + np.tanh(z / 2)) / 2


SELU = 1.0507009873554805, 1.6732632423543772  # lambda, alpha

ACTIVATIONS = {  # A(z), and A'(z) from z and a
    "identity": (lambda z: z, lambda z, a: np.ones_like(z)),
    "relu": (lambda z: np.where(z > 0, z, 0), lambda z, a: (z > 0).astype(float)),
    "leaky-relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z, a: np.where(z > 0, 1, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), lambda z, a: np.where(z > 0, 1, a + 1)),
    "silu": (lambda z: z * sigmoid(z), lambda z, a: sigmoid(z) * (1 + z * (1 - sigmoid(z)))),
    "sigmoid": (sigmoid, lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a * a),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z, a: sigmoid(z)),
    "mish": (lambda z: z * np.tanh(np.logaddexp(0, z)),
             lambda z, a: np.tanh(np.logaddexp(0, z)) + z * sigmoid(z) / np.cosh(np.logaddexp(0, z)) ** 2),
    "selu": (lambda z: SELU[0] * np.where(z > 0, z, SELU[1] * np.expm1(np.minimum(z, 0))),
             lambda z, a: np.where(z > 0, SELU[0], a + SELU[0] * SELU[1])),
    "hardswish": (lambda z: z * np.clip(z + 3, 0, 6) / 6, lambda z, a: np.where(abs(z) < 3, (2 * z + 3) / 6, z > 0)),
    "exp": (np.exp, lambda z, a: a),
    "relu6": (lambda z: np.clip(z, 0, 6), lambda z, a: ((z > 0) & (z < 6)).astype(float)),
}


def init_layer(name, activation, seed, layer, inputs, outputs):
    if name == "auto":
        bent = activation in ("relu", "leaky-relu", "elu", "gelu", "silu", "softplus", "mish", "hardswish", "relu6")
        name = "he-normal" if bent else "lecun-normal" if activation == "selu" else "glorot-uniform"
    if name == "zeros":
        return np.zeros((inputs, outputs))
    rule, form = name.rsplit("-", 1)
    variance = {"he": 2 / inputs, "glorot": 2 / (inputs + outputs), "lecun": 1 / inputs}[rule]
    word = draws(seed, INIT_WEIGHTS, layer, 0, inputs * outputs)
    pairs = [(((word[:, i + 1] << np.uint64(32) | word[:, i]) >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52
             for i in (0, 2)]
    if form == "normal":  # Box and Muller
        values = math.sqrt(variance) * np.sqrt(-2 * np.log(pairs[0])) * np.cos(2 * np.pi * pairs[1])
    else:
        values = math.sqrt(3 * variance) * (2 * pairs[0] - 1)
    return values.reshape(inputs, outputs)


class Network:
    def __init__(self, widths, hidden, output, init, seed):
        self.activations = [hidden] * (len(widths) - 2) + [output]
        self.weights = [init_layer(init, self.activations[l], seed, l, widths[l], widths[l + 1])
                        for l in range(len(widths) - 1)]
        self.biases = [np.zeros(width) for width in widths[1:]]
        self.parameters = 0.0, 0.0  # label smoothing, focal gamma

    def gradient(self, x, y, loss, sample_weights):
        """Sum of the weighted losses, and its gradient: of weights, of biases."""
        z, a = [], [x]
        for w, b, kind in zip(self.weights, self.biases, self.activations):
            z.append(a[-1] @ w + b)
            if kind == "softmax":
                exponentials = np.exp(z[-1] - z[-1].max(axis=1, keepdims=True))
                a.append(exponentials / exponentials.sum(axis=1, keepdims=True))
            else:
                a.append(ACTIVATIONS[kind][0](z[-1]))
        output = self.activations[-1]
        if loss == "cross-entropy" and output == "softmax":
            k, smoothing, gamma = a[-1].shape[1], *self.parameters
            target, p = (1 - smoothing) * np.eye(a[-1].shape[1])[y] + smoothing / k, a[-1]
            each = target * (1 - p)**gamma * -np.log(p)
            losses = each.sum(axis=1)
            slopes = target * ((1 - p)**gamma / p + (gamma * (1 - p)**(gamma - 1) * -np.log(p) if gamma > 0 else 0))
            delta = p * ((slopes * p).sum(axis=1, keepdims=True) - slopes)
        elif loss == "poisson" and output == "exp":
            losses, delta = (a[-1] - y * z[-1]).sum(axis=1), a[-1] - y
        elif loss == "quantile" and output == "identity":
            tau = np.tile(self.quantiles, y.shape[1])
            r = a[-1] - np.repeat(y, len(self.quantiles), axis=1)
            losses, delta = np.where(r > 0, (1 - tau) * r, -tau * r).sum(axis=1), np.where(r > 0, 1 - tau, -tau)
        elif loss == "gaussian" and output == "identity":
            r, precision = a[-1][:, ::2] - y, np.exp(-a[-1][:, 1::2])
            losses = (a[-1][:, 1::2] + r * r * precision).sum(axis=1) / 2
            delta = np.stack([r * precision, (1 - r * r * precision) / 2], axis=2).reshape(len(y), -1)
        elif loss == "mse" and output != "softmax":
            losses = ((a[-1] - y)**2).sum(axis=1) / 2
            delta = (a[-1] - y) * ACTIVATIONS[output][1](z[-1], a[-1])
        else:
            unknown(f"loss {loss} on output {output}")
        delta = delta * sample_weights[:, None]
        weights, biases = [], []
        for l in reversed(range(len(self.weights))):
            weights.insert(0, a[l].T @ delta)
            biases.insert(0, delta.sum(axis=0))
            if l > 0:
                delta = (delta @ self.weights[l].T) * ACTIVATIONS[self.activations[l - 1]][1](z[l - 1], a[l])
        return (losses * sample_weights).sum(), weights + biases
