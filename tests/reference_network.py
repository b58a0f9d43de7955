"""The network of reference_epoch.py: activations, layers, losses and gradients, in double precision.

Each kind of layer is written as its paper defines it, not as src/network does: batch norm works on whole lanes, dropout on
whole masks, and the neural-tangent parametrisation stores the weights V of z = x V / sqrt(d) + b, while src/network stores
W = V / sqrt(d) and changes the rates. `compare` turns V into W.
"""
import math
import sys

import numpy as np

from reference_rng import DROPOUT, INIT_WEIGHTS, NOISE, draws, groups, normal, uniform


def unknown(what):
    print(f"reference_epoch.py: does not know {what}", file=sys.stderr)
    sys.exit(2)


def sigmoid(z):
    return (1 + np.tanh(z / 2)) / 2


def normal_function(z):
    return np.vectorize(lambda value: math.erfc(-value / math.sqrt(2)) / 2)(z)


GELU = 2 * math.sqrt(2 / math.pi)
SELU = 1.0507009873554805, 1.6732632423543772  # lambda, alpha

ACTIVATIONS = {  # A(z), and A'(z) from z and a
    "identity": (lambda z: z, lambda z, a: np.ones_like(z)),
    "relu": (lambda z: np.where(z > 0, z, 0), lambda z, a: (z > 0).astype(float)),
    "leaky-relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z, a: np.where(z > 0, 1, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), lambda z, a: np.where(z > 0, 1, a + 1)),
    "gelu": (lambda z: z * normal_function(z),
             lambda z, a: normal_function(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)),
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
    "squareplus": (lambda z: (z + np.sqrt(z * z + 4)) / 2, lambda z, a: (1 + z / np.sqrt(z * z + 4)) / 2),
    "gelu-tanh": (lambda z: z * sigmoid(GELU * (z + 0.044715 * z**3)),
                  lambda z, a: (s := sigmoid(GELU * (z + 0.044715 * z**3))) + z * s * (1 - s) * GELU * (1 + 0.134145 * z * z)),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z, a: 1 / (1 + abs(z)) ** 2),
    "relu6": (lambda z: np.clip(z, 0, 6), lambda z, a: ((z > 0) & (z < 6)).astype(float)),
}



class Tensor:
    """Values that learn; decays: the factor of the weight decay; stored: as the model file has them (a factor of ours);
    statistics: not by gradient."""

    def __init__(self, name, values, decays=0.0, rate=1.0, stored=1.0, statistics=False):
        self.name, self.values, self.decays, self.rate = name, values.astype(float), decays, rate
        self.stored, self.statistics, self.gradient = stored, statistics, np.zeros(values.shape)
        self.start = self.values.copy()


class Pass:
    """What layers may know of the rows of a pass: numbers of the samples in the epoch, first rows of the lanes, and the
    factor of dropout."""

    def __init__(self, training, seed=0, epoch=0, first=0, bounds=None, dropout=1.0):
        self.training, self.seed, self.epoch, self.first, self.bounds = training, seed, epoch, first, bounds
        self.dropout = dropout
        self.samples = 0

    def copies(self, x):
        """Rows of x for each sample: the members of an ensemble, above its fan-out."""
        return len(x) // self.samples


# ---- Kinds of layers: forward(x, pass) gives z; backward(dC/dz) gives dC/dx and sets gradients --------


def initial_weights(name, activation, seed, draw, inputs, outputs, matrices=1):
    if name == "auto":
        bent = activation in ("relu", "leaky-relu", "elu", "gelu", "silu", "softplus", "mish", "hardswish", "relu6",
                              "squareplus", "gelu-tanh")
        name = "he-normal" if bent else "lecun-normal" if activation == "selu" else "glorot-uniform"
    if name == "zeros":
        return np.zeros((matrices * inputs, outputs))
    rule, form = name.rsplit("-", 1)
    variance = {"he": 2 / inputs, "glorot": 2 / (inputs + outputs), "lecun": 1 / inputs}[rule]
    word = draws(seed, INIT_WEIGHTS, draw, 0, matrices * inputs * outputs)
    unit = normal(word) if form == "normal" else math.sqrt(3) * (2 * uniform(word[:, 0], word[:, 1]) - 1)
    return math.sqrt(variance) * unit.reshape(-1, outputs)


class Dense:
    in_file = True

    def __init__(self, inputs, outputs, starts_for, init, seed, draw, bias=True):
        self.weight = Tensor("weight", initial_weights(init, starts_for, seed, draw, inputs, outputs), decays=True)
        self.bias = Tensor("bias", np.zeros(outputs))
        self.tensors, self.num_draws = [self.weight] + ([self.bias] if bias else []), 1
        self.factor = 1.0

    def forward(self, x, _):
        self.x = x
        return x @ self.weight.values * self.factor + self.bias.values

    def backward(self, delta):
        self.weight.gradient = self.factor * self.x.T @ delta
        self.bias.gradient = delta.sum(axis=0)
        return self.factor * delta @ self.weight.values.T


class TangentDense(Dense):
    """z = x V / sqrt(d) + b; V and b from N(0, 1), 0 in the last layer; b learns at a tenth of the rate."""

    def __init__(self, inputs, outputs, init, seed, draw, bias, is_last):
        super().__init__(inputs, outputs, "", "zeros", seed, draw, bias)
        self.factor, self.num_draws = 1 / math.sqrt(inputs), 0 if is_last else len(self.tensors)
        self.weight.stored, self.bias.rate = self.factor, 0.1
        if not is_last:
            init = "lecun-normal" if init == "auto" else init
            self.weight.values = initial_weights(init, "", seed, draw, inputs, outputs) / self.factor
            if bias:
                self.bias.values = normal(draws(seed, INIT_WEIGHTS, draw + 1, 0, outputs))
        self.weight.start = self.weight.values.copy()


class Embed:
    """Inputs of a size > 0 are codes: each is one-hot, times the rows of the table that are its column's."""
    in_file, num_draws = True, 1

    def __init__(self, sizes, width, seed, draw):
        total = sum(sizes)
        self.sizes, self.width = sizes, width
        self.first = np.cumsum([0, *sizes])
        self.tensors = [Tensor("table", normal(draws(seed, INIT_WEIGHTS, draw, 0, total * width)).reshape(total, width))]

    def forward(self, x, _):
        self.hot = [np.equal.outer(x[:, i], np.arange(size)).astype(float) for i, size in enumerate(self.sizes)]
        table = self.tensors[0].values
        return np.concatenate([hot @ table[first:first + size] if size else x[:, i:i + 1] for i, (hot, first, size)
                               in enumerate(zip(self.hot, self.first, self.sizes))], axis=1)

    def backward(self, delta):
        ends = np.cumsum([self.width if size else 1 for size in self.sizes])
        parts = np.split(delta, ends[:-1], axis=1)
        self.tensors[0].gradient = np.concatenate(
            [hot.T @ part for hot, part, size in zip(self.hot, parts, self.sizes) if size])
        return np.concatenate([0 * part[:, :1] if size else part for part, size in zip(parts, self.sizes)], axis=1)


class Periodic:
    """x of a number becomes [W cos(2 pi f x + p) + b ; x] (PBLD of RealMLP-TD); other inputs pass through."""
    in_file, num_draws = True, 4

    def __init__(self, numbers, seed, draw):
        n = sum(numbers)
        self.numbers, self.at = numbers, np.flatnonzero(numbers)

        def drawn(name, i, columns, spread):
            word = draws(seed, INIT_WEIGHTS, draw + i, 0, n * columns)
            unit = normal(word) if i == 0 else 2 * uniform(word[:, 0], word[:, 1]) - 1
            return Tensor(name, spread * unit.reshape(n, columns), decays=True, rate=0.1)
        self.tensors = self.f, self.p, self.w, self.b = [
            drawn(name, i, columns, spread) for i, (name, columns, spread) in
            enumerate((("frequency", 16, 0.1), ("phase", 16, math.pi), ("weight", 48, 0.25), ("bias", 3, 0.25)))]

    def forward(self, x, _):
        self.x = x[:, self.at]
        angle = 2 * np.pi * self.f.values * self.x[:, :, None] + self.p.values
        self.cosine, self.sine = np.cos(angle), np.sin(angle)
        made = np.einsum("nik,ijk->nij", self.cosine, self.w.values.reshape(-1, 3, 16)) + self.b.values
        parts, learned = [], iter(made.swapaxes(0, 1))
        for i, is_number in enumerate(self.numbers):
            parts += ([next(learned)] if is_number else []) + [x[:, i:i + 1]]
        return np.concatenate(parts, axis=1)

    def backward(self, delta):
        parts = np.split(delta, np.cumsum([4 if number else 1 for number in self.numbers])[:-1], axis=1)
        below = np.concatenate([part[:, -1:] for part in parts], axis=1)
        delta = np.stack([parts[i][:, :3] for i in self.at], axis=1)
        slope = -self.sine * np.einsum("nij,ijk->nik", delta, self.w.values.reshape(-1, 3, 16))
        self.w.gradient = np.einsum("nij,nik->ijk", delta, self.cosine).reshape(self.w.values.shape)
        self.b.gradient, self.p.gradient = delta.sum(axis=0), slope.sum(axis=0)
        self.f.gradient = 2 * np.pi * (slope * self.x[:, :, None]).sum(axis=0)
        below[:, self.at] += 2 * np.pi * (slope * self.f.values).sum(axis=2)
        return below


class Piecewise:
    """x of a number becomes [c W ; x], bin t of c (x - e_t) / (e_{t+1} - e_t) within 0 and 1; other inputs pass through.
    edges: of each number. is_tangent: [c V / sqrt(bins) ; x]."""
    in_file, num_draws = True, 0

    def __init__(self, numbers, edges, bins, width, is_tangent):
        self.numbers, self.at, self.width = numbers, np.flatnonzero(numbers), width
        padded = [np.concatenate([e, np.repeat(e[-1:], bins + 1 - len(e))]) for e in edges]
        self.edges = Tensor("edge", np.stack(padded), rate=0)
        self.factor = 1 / math.sqrt(bins) if is_tangent else 1.0
        self.w = Tensor("weight", np.zeros((len(edges), bins * width)), decays=True, stored=self.factor)
        self.tensors = [self.edges, self.w]

    def weights(self):
        return self.factor * self.w.values.reshape(len(self.at), -1, self.width)

    def forward(self, x, _):
        low, high = self.edges.values[:, :-1], self.edges.values[:, 1:]
        self.widths = np.where(high > low, high - low, np.inf)
        self.c = np.clip((x[:, self.at, None] - low) / self.widths, 0, 1)
        parts, learned = [], iter(np.einsum("nit,itj->inj", self.c, self.weights()))
        for i, is_number in enumerate(self.numbers):
            parts += ([next(learned)] if is_number else []) + [x[:, i:i + 1]]
        return np.concatenate(parts, axis=1)

    def backward(self, delta):
        parts = np.split(delta, np.cumsum([self.width + 1 if number else 1 for number in self.numbers])[:-1], axis=1)
        below = np.concatenate([part[:, -1:] for part in parts], axis=1)
        delta = np.stack([parts[i][:, :-1] for i in self.at], axis=1)
        self.w.gradient = self.factor * np.einsum("nit,nij->itj", self.c, delta).reshape(self.w.values.shape)
        inside = (self.c > 0) & (self.c < 1)
        below[:, self.at] += np.einsum("nij,itj,nit->ni", delta, self.weights(), inside / self.widths)
        return below


class Scale:
    in_file, num_draws = True, 0

    def __init__(self, columns, rate, decays):
        self.tensors = [Tensor("scale", np.ones(columns), decays, rate)]

    def forward(self, x, _):
        self.x = x
        return x * self.tensors[0].values

    def backward(self, delta):
        self.tensors[0].gradient = (delta * self.x).sum(axis=0)
        return delta * self.tensors[0].values


class Apart:
    """A layer for each of K members: row i K + k is member k's. make(n): the layer with n times the inputs, whose tensors
    hold those of the members one below the other."""
    in_file = True

    def __init__(self, make, members):
        self.whole, self.parts = make(members), [make(1) for _ in range(members)]
        self.num_draws, self.tensors = self.whole.num_draws, self.whole.tensors
        for tensor, part in zip(self.tensors, self.parts[0].tensors):
            if part.values.ndim == 1:
                tensor.values = tensor.values.reshape(members, -1)
            tensor.start = tensor.values.copy()

    def forward(self, x, at):
        for i, tensor in enumerate(self.tensors):
            for part, values in zip(self.parts, np.split(tensor.values, len(self.parts))):
                part.tensors[i].values = values.reshape(part.tensors[i].values.shape)
        z = [part.forward(x[k::len(self.parts)], at) for k, part in enumerate(self.parts)]
        return np.stack(z, axis=1).reshape(len(x), -1)

    def backward(self, delta):
        below = [part.backward(delta[k::len(self.parts)]) for k, part in enumerate(self.parts)]
        for i, tensor in enumerate(self.tensors):
            gradients = [part.tensors[i].gradient for part in self.parts]
            tensor.gradient = np.concatenate(gradients).reshape(tensor.values.shape)
        return np.stack(below, axis=1).reshape(len(delta), -1)


class Parametric:
    """z + alpha (A(z) - z), alpha of each unit and member; it decays, and begins at 1."""
    in_file, num_draws = True, 0

    def __init__(self, columns, members, activation, rate):
        self.bend, self.slope = ACTIVATIONS[activation]
        self.members, self.tensors = members, [Tensor("alpha", np.ones((members, columns)), decays=1.0, rate=rate)]

    def forward(self, x, _):
        self.x, self.bent = x, self.bend(x)
        self.alpha = np.tile(self.tensors[0].values, (len(x) // self.members, 1))
        return x + self.alpha * (self.bent - x)

    def backward(self, delta):
        each = delta * (self.bent - self.x)
        self.tensors[0].gradient = each.reshape(-1, self.members, each.shape[1]).sum(axis=0)
        return delta * (1 + self.alpha * (self.slope(self.x, self.bent) - 1))


class FanOut:
    """x o r_k for each member k of an ensemble (TabM-mini); member k of sample i is row i K + k. Random signs at first."""
    in_file, num_draws = True, 1

    def __init__(self, columns, members, seed, draw):
        self.members, word = members, draws(seed, INIT_WEIGHTS, draw, 0, members * columns)[:, 0]
        self.tensors = [Tensor("scale", np.where(word >= 2**31, -1.0, 1.0).reshape(members, columns))]

    def forward(self, x, _):
        self.x = x
        return (x[:, None, :] * self.tensors[0].values).reshape(-1, x.shape[1])

    def backward(self, delta):
        delta = delta.reshape(len(self.x), self.members, -1)
        self.tensors[0].gradient = (delta * self.x[:, None, :]).sum(axis=0)
        return (delta * self.tensors[0].values).sum(axis=1)


class Fork(FanOut):
    """Members that share nothing: x, or x o s_k. Each has its own loss; what is below learns from the mean."""
    num_draws = 0

    def __init__(self, columns, members, rate, decays):
        self.members = members
        self.tensors = [Tensor("scale", np.ones((members, columns)), decays, rate)] if rate > 0 else []
        self.fixed = np.ones((members, columns))

    def forward(self, x, _):
        self.x = x
        return (x[:, None, :] * (self.tensors[0].values if self.tensors else self.fixed)).reshape(-1, x.shape[1])

    def backward(self, delta):
        delta = delta.reshape(len(self.x), self.members, -1)
        for tensor in self.tensors:
            tensor.gradient = (delta * self.x[:, None, :]).sum(axis=0)
        return (delta * (self.tensors[0].values if self.tensors else self.fixed)).mean(axis=1)


class Heads:
    """Dense layers of the members, made like single ones."""
    in_file = True

    def __init__(self, single, members, inputs, seed, draw, init, starts_for):
        self.members, outputs = members, len(single.bias.values)
        weights, biases = np.zeros((members, inputs, outputs)), np.zeros((members, outputs))
        self.factor, rate, stored, self.num_draws = single.factor, single.bias.rate, single.weight.stored, single.num_draws
        if single.num_draws > 0 and isinstance(single, TangentDense):
            init = "lecun-normal" if init == "auto" else init
            biases = normal(draws(seed, INIT_WEIGHTS, draw + 1, 0, members * outputs)).reshape(members, outputs)
        if single.num_draws > 0:
            weights = initial_weights(init, starts_for, seed, draw, inputs, outputs, members) / self.factor
        self.weight = Tensor("weight", weights.reshape(-1, outputs), decays=True, stored=stored)
        self.bias = Tensor("bias", biases, rate=rate)
        self.tensors, self.shape = [self.weight, self.bias], (members, inputs, outputs)

    def forward(self, x, _):
        self.x = x.reshape(-1, self.members, x.shape[1])
        z = np.einsum("nki,kio->nko", self.x, self.weight.values.reshape(self.shape)) * self.factor + self.bias.values
        return z.reshape(len(x), -1)

    def backward(self, delta):
        delta = delta.reshape(len(self.x), self.members, -1)
        self.weight.gradient = self.factor * np.einsum("nki,nko->kio", self.x, delta).reshape(self.weight.values.shape)
        self.bias.gradient = delta.sum(axis=0)
        below = self.factor * np.einsum("nko,kio->nki", delta, self.weight.values.reshape(self.shape))
        return below.reshape(-1, self.x.shape[2])


class Dropout:
    """A value is kept with probability 1 - p, and then divided by it; in training alone."""
    in_file, num_draws, tensors = False, 0, ()

    def __init__(self, p, number):
        self.p, self.number, self.mask = p, number, 1.0

    def forward(self, x, at):
        if not at.training:
            return x
        each = -(-x.shape[1] // 4)  # groups of a row
        word = groups(at.seed, DROPOUT, at.epoch, self.number, at.first * at.copies(x) * each + np.arange(len(x) * each))
        p = self.p * at.dropout
        kept = word.reshape(len(x), -1)[:, :x.shape[1]] >= math.floor(p * 2**32)
        self.mask = kept / (1 - p)
        return x * self.mask

    def backward(self, delta):
        return delta * self.mask


class Noise:
    in_file, num_draws, tensors = False, 0, ()

    def __init__(self, deviation, number):
        self.deviation, self.number = deviation, number

    def forward(self, x, at):
        if not at.training:
            return x
        word = groups(at.seed, NOISE, at.epoch, self.number, at.first * at.copies(x) * x.shape[1] + np.arange(x.size))
        return x + self.deviation * normal(word).reshape(x.shape)

    def backward(self, delta):
        return delta


class Norm:
    """x^ = (x - mean) / sqrt(variance + 1e-5) over an axis of an array, and the derivative back through it."""

    def __init__(self, x, axis):
        self.axis, self.mean, self.variance = axis, x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True)
        self.inverse = 1 / np.sqrt(self.variance + 1e-5)
        self.scaled = (x - self.mean) * self.inverse

    def backward(self, slope):
        mean, along = (v.mean(axis=self.axis, keepdims=True) for v in (slope, slope * self.scaled))
        return self.inverse * (slope - mean - self.scaled * along)


class LayerNorm:
    in_file, num_draws = True, 0

    def __init__(self, columns):
        self.gain, self.shift = Tensor("gain", np.ones(columns)), Tensor("shift", np.zeros(columns))
        self.tensors = [self.gain, self.shift]

    def forward(self, x, _):
        self.norm = Norm(x, 1)
        return self.gain.values * self.norm.scaled + self.shift.values

    def backward(self, delta):
        self.gain.gradient, self.shift.gradient = (delta * self.norm.scaled).sum(axis=0), delta.sum(axis=0)
        return self.norm.backward(delta * self.gain.values)


class RmsNorm:
    """gain x^ with x^ = x / sqrt(mean of x^2 + 1e-5) over a row."""
    in_file, num_draws = True, 0

    def __init__(self, columns):
        self.gain = Tensor("gain", np.ones(columns))
        self.tensors = [self.gain]

    def forward(self, x, _):
        self.root = np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-5)
        self.scaled = x / self.root
        return self.gain.values * self.scaled

    def backward(self, delta):
        self.gain.gradient = (delta * self.scaled).sum(axis=0)
        slope = delta * self.gain.values
        return (slope - self.scaled * (slope * self.scaled).mean(axis=1, keepdims=True)) / self.root


class BatchNorm:
    """Each lane's rows by their own mean and variance; outside of training by running ones."""
    in_file, num_draws = True, 0

    def __init__(self, columns):
        self.gain, self.shift = Tensor("gain", np.ones(columns)), Tensor("shift", np.zeros(columns))
        self.mean = Tensor("mean", np.zeros(columns), statistics=True)
        self.variance = Tensor("variance", np.ones(columns), statistics=True)
        self.tensors = [self.gain, self.shift, self.mean, self.variance]

    def forward(self, x, at):
        if not at.training:
            scaled = (x - self.mean.values) / np.sqrt(self.variance.values + 1e-5)
            return self.gain.values * scaled + self.shift.values
        copies = at.copies(x)
        self.lanes = [slice(b * copies, e * copies) for b, e in zip(at.bounds, at.bounds[1:]) if e > b]
        self.norms = [Norm(x[lane], 0) for lane in self.lanes]
        self.scaled = np.concatenate([norm.scaled for norm in self.norms])
        # The means of the step: of a lane's variances those without bias, a lane counting by its rows.
        mean, variance = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        for lane, norm in zip(self.lanes, self.norms):
            n = lane.stop - lane.start
            mean += norm.mean[0] * n / len(x)
            variance += (norm.variance[0] * n / (n - 1) if n > 1 else self.variance.values) * n / len(x)
        self.mean.gradient, self.variance.gradient = mean, variance
        return self.gain.values * self.scaled + self.shift.values

    def backward(self, delta):
        self.gain.gradient, self.shift.gradient = (delta * self.scaled).sum(axis=0), delta.sum(axis=0)
        slope = delta * self.gain.values
        return np.concatenate([norm.backward(slope[lane]) for norm, lane in zip(self.norms, self.lanes)])


# ---- Losses: the loss of each row, and dC/dz of the output layer ---------------------------------------


def softmax(z):
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def cross_entropy(a, target, gamma):
    each = target * (1 - a)**gamma * -np.log(a)
    slopes = target * ((1 - a)**gamma / a + (gamma * (1 - a)**(gamma - 1) * -np.log(a) if gamma > 0 else 0))
    return each.sum(axis=1), a * ((slopes * a).sum(axis=1, keepdims=True) - slopes)


def binary_cross_entropy(a, target, gamma):
    """The focal form counts an answer by 1 - p to the gamma, p = a y + (1 - a)(1 - y)."""
    ce = -target * np.log(a) - (1 - target) * np.log1p(-a)
    missing = 1 - (a * target + (1 - a) * (1 - target))
    slope = missing**gamma * (a - target)
    if gamma > 0:
        slope = slope + gamma * missing**(gamma - 1) * (1 - 2 * target) * a * (1 - a) * ce
    return (missing**gamma * ce).sum(axis=1), slope


def quantile(a, y, quantiles):
    tau, r = np.tile(quantiles, y.shape[1]), a - np.repeat(y, len(quantiles), axis=1)
    return np.where(r > 0, (1 - tau) * r, -tau * r).sum(axis=1), np.where(r > 0, 1 - tau, -tau)


def gaussian(a, y):
    r, precision = a[:, ::2] - y, np.exp(-a[:, 1::2])
    losses = (a[:, 1::2] + r * r * precision).sum(axis=1) / 2
    return losses, np.stack([r * precision, (1 - r * r * precision) / 2], axis=2).reshape(len(y), -1)


RESIDUAL = {  # of r = a - y: each value's loss, and its slope
    "mse": lambda r: (r * r / 2, r),
    "mse-mean": lambda r: (r * r / r.shape[1], 2 * r / r.shape[1]),
    "mae": lambda r: (abs(r), np.sign(r)),
    "huber": lambda r: (np.where(abs(r) <= 1, r * r / 2, abs(r) - 0.5), np.clip(r, -1, 1)),
    "log-cosh": lambda r: (np.logaddexp(r, -r) - np.log(2), np.tanh(r)),
}


class Network:
    """Of options: embedding, noise, dropout and scale of the inputs, hidden layers with norm and dropout, the output
    layer. sizes: of each input, the number of codes that it holds, or 0; numbers: is it a number? edges: of its bins, or
    for each member in turn."""

    def __init__(self, options, sizes, numbers, outputs, output, edges=()):
        self.layers, self.activations, self.draws = [], [], 0
        self.options, self.seed, self.width = options, int(options["seed"]), len(sizes)
        hidden = [int(width) for width in options["hidden"].strip('"').split(",") if width]
        self.input_layers(sizes, numbers, edges)
        for l, (width, activation, p) in enumerate(zip(hidden, options.each("activation", len(hidden)),
                                                       options.each("dropout", len(hidden)))):
            self.hidden_layer(width, activation, options["norm"])
            if float(p) > 0:
                self.add(Dropout(float(p), len(self.layers)))
        self.dense(outputs, output, output, is_last=True)
        self.smoothing, self.gamma = options.real("label-smoothing"), options.real("focal-gamma")
        self.quantiles = [float(tau) for tau in options["quantiles"].split(",")]

    def add(self, layer, activation="identity"):
        self.layers.append(layer)
        self.activations.append(activation)
        self.draws += layer.num_draws

    def embed(self, make):
        """make(n): a layer of n times the inputs."""
        self.add(Apart(make, self.members) if self.apart else make(1))

    def input_layers(self, sizes, numbers, edges):
        apart = max(int(self.options["members"]), int(self.options["folds"]))
        self.members, self.apart = max(int(self.options["ensemble"]), apart), apart > 1
        early = self.apart and (any(sizes) or self.options["embed-numbers"] != "none"
                                or self.options.real("input-noise") > 0 or self.options.real("input-dropout") > 0)
        if early:
            self.add(Fork(self.width, self.members, 0, 0))
        if any(sizes):
            width = int(self.options["embed-width"])
            self.embed(lambda n: Embed(n * sizes, width, self.seed, self.draws))
            numbers = [number for size, number in zip(sizes, numbers) for _ in range(width if size else 1)]
            self.width = len(numbers)
        if self.options.real("input-noise") > 0:
            self.add(Noise(self.options.real("input-noise"), len(self.layers)))
        if self.options["embed-numbers"] == "periodic" and any(numbers):
            self.embed(lambda n: Periodic(n * numbers, self.seed, self.draws))
            self.width += 3 * sum(numbers)
        if self.options["embed-numbers"] == "piecewise" and any(numbers):
            width = int(self.options["embed-width"])
            is_tangent = self.options["parametrization"] == "ntk"
            self.embed(lambda n: Piecewise(n * numbers, (n * edges)[:n * sum(numbers)], int(self.options["embed-bins"]), width, is_tangent))
            self.width += width * sum(numbers)
        if self.options.real("input-dropout") > 0:
            self.add(Dropout(self.options.real("input-dropout"), len(self.layers)))
        rate, decays = self.options.real("input-scale"), self.options.real("input-scale-decay")
        if self.apart and not early:
            self.add(Fork(self.width, self.members, rate, decays))
            return
        if rate > 0:
            self.embed(lambda n: Scale(n * self.width, rate, decays))
        if self.members > 1 and not self.apart:
            self.add(FanOut(self.width, self.members, self.seed, self.draws))

    def dense(self, outputs, activation, starts_for, bias=True, is_last=False):
        init = self.options["init"]
        if self.options["parametrization"] == "ntk":
            made = TangentDense(self.width, outputs, init, self.seed, self.draws, bias, is_last)
        else:
            made = Dense(self.width, outputs, starts_for, init, self.seed, self.draws, bias)
        if self.apart or is_last and self.members > 1:
            made = Heads(made, self.members, self.width, self.seed, self.draws, init, starts_for)
        self.add(made, activation)
        self.width = outputs

    def hidden_layer(self, width, activation, norm):
        rate = self.options.real("parametric-activation") if activation != "identity" else 0
        last = "identity" if rate > 0 else activation
        self.dense(width, last if norm == "none" else "identity", activation, bias=norm != "batch")
        if norm != "none":
            self.add({"batch": BatchNorm, "layer": LayerNorm, "rms": RmsNorm}[norm](width), last)
        if rate > 0:
            self.add(Parametric(width, self.members, activation, rate))

    def tensors(self):
        return [tensor for layer in self.layers for tensor in layer.tensors]

    def forward(self, x, at):
        """z and a of each layer."""
        at.samples = len(x)
        z, a = [], []
        for layer, kind in zip(self.layers, self.activations):
            z.append(layer.forward(a[-1] if a else x, at))
            a.append(softmax(z[-1]) if kind == "softmax" else ACTIVATIONS[kind][0](z[-1]))
        return z, a

    def predict(self, x, member=None):
        """z and a of the outputs: of an ensemble the mean of a, and a z of it; or those of one member for each row."""
        z, a = self.forward(x, Pass(training=False))
        if member is not None:
            return (v[-1].reshape(len(x), self.members, -1)[np.arange(len(x)), member] for v in (z, a))
        z, a = (v[-1].reshape(len(x), self.members, -1).mean(axis=1) for v in (z, a))
        return np.log(a) if self.activations[-1] == "exp" else z, a

    def loss(self, z, a, y, kind):
        """The loss of each row, and dC/dz of the last layer."""
        output, k = self.activations[-1], a.shape[1]
        hot = np.eye(k)[y] if y.ndim == 1 else y
        if kind == "cross-entropy" and output == "softmax":
            return cross_entropy(a, (1 - self.smoothing) * hot + self.smoothing / k, self.gamma)
        if kind == "binary-cross-entropy" and output == "sigmoid":
            return binary_cross_entropy(a, (1 - self.smoothing) * hot + self.smoothing / 2, self.gamma)
        if kind == "poisson" and output == "exp":
            return (a - y * z).sum(axis=1), a - y
        if kind == "gaussian" and output == "identity":
            return gaussian(a, y)
        if kind == "quantile" and output != "softmax":
            losses, slopes = quantile(a, y, self.quantiles)
            losses = losses[:, None]
        elif kind in RESIDUAL:
            losses, slopes = RESIDUAL[kind](a - hot)
        else:
            unknown(f"loss {kind} on output {output}")
        if output == "softmax":
            return losses.sum(axis=1), a * (slopes - (slopes * a).sum(axis=1, keepdims=True))
        return losses.sum(axis=1), slopes * ACTIVATIONS[output][1](z, a)

    def step(self, x, y, kind, weights, at):
        """The sum of the weighted losses; the sum of their gradients goes into the tensors. weights: of rows, or of rows
        for each member."""
        z, a = self.forward(x, at)
        each = weights if weights.ndim == 2 else np.repeat(weights[:, None], self.members, axis=1)
        y, weights = np.repeat(y, self.members, axis=0), each.reshape(-1) / self.members
        losses, delta = self.loss(z[-1], a[-1], y, kind)
        delta = delta * weights[:, None] * (self.members if self.apart else 1)
        for l in reversed(range(len(self.layers))):
            delta = self.layers[l].backward(delta)
            if l > 0:
                delta = delta * ACTIVATIONS[self.activations[l - 1]][1](z[l - 1], a[l - 1])
        return (losses * weights).sum()
