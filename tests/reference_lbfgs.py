"""L-BFGS of reference_epoch.py, in double precision: Nocedal and Wright, Numerical Optimization, algorithms 3.5, 3.6 and 7.4."""
import math

import numpy as np


def cubic_minimum(a, b):
    """The minimum of the cubic through two points (step, value, slope); NaN: it has none."""
    d1 = a[2] + b[2] - 3 * (a[1] - b[1]) / (a[0] - b[0])
    square = d1 * d1 - a[2] * b[2]
    if square < 0:
        return math.nan
    d2 = math.copysign(math.sqrt(square), b[0] - a[0])
    return b[0] - (b[0] - a[0]) * (b[2] + d2 - d1) / (b[2] - a[2] + 2 * d2)


def longer(before, good):
    """Beyond a step that is good so far: at most ten times it."""
    least, most, wanted = good[0] + 0.01 * (good[0] - before[0]), 10 * good[0], cubic_minimum(before, good)
    if math.isnan(wanted) or wanted < good[0]:
        return most
    return min(max(wanted, least), most)


def between(low, high):
    part = (cubic_minimum(low, high) - low[0]) / (high[0] - low[0])
    return low[0] + (high[0] - low[0]) * (0.5 if math.isnan(part) else min(max(part, 0.1), 0.9))


def search(start, step, evaluate):
    """A step with the strong Wolfe conditions; evaluate(step): value and slope."""
    def ends(p):
        return abs(p[2]) <= 0.9 * abs(start[2]) and (enough(p) or abs(p[1] - start[1]) <= 1e-6 * abs(start[1]))

    def enough(p):
        return p[1] <= start[1] + 1e-4 * p[0] * start[2]

    before = low = start
    while True:  # until a good step is between two
        p = (step, *evaluate(step))
        if ends(p):
            return p
        if not enough(p) or p[1] >= low[1]:
            high = p
            break
        before, low = low, p
        if p[2] >= 0:
            high = before
            break
        step = longer(before, low)
    while True:
        step = between(low, high)
        p = (step, *evaluate(step))
        if ends(p):
            return p
        if not enough(p) or p[1] >= low[1]:
            high = p
            continue
        if p[2] * (high[0] - low[0]) >= 0:
            high = low
        low = p


class Lbfgs:
    """loss(): the loss at the tensors' values, summed over all rows, and its gradients, of the tensors; weight: of all rows."""

    def __init__(self, options, tensors, loss, weight):
        self.tensors, self.loss, self.weight = tensors, loss, weight
        self.decay, self.history, self.pairs = options.real("weight-decay"), int(options["lbfgs-history"]), []
        self.at = self.evaluate(self.values())

    def values(self):
        return np.concatenate([t.values.ravel() for t in self.tensors])

    def evaluate(self, values):
        """(values, mean loss, objective, gradient)"""
        begin = 0
        for t in self.tensors:
            t.values[...] = values[begin:begin + t.values.size].reshape(t.values.shape)
            begin += t.values.size
        mean = self.loss() / self.weight
        decays = [self.decay if t.decays else 0 for t in self.tensors]
        total = mean + sum(d / 2 * (t.values**2).sum() for t, d in zip(self.tensors, decays))
        gradient = [(t.gradient / self.weight + d * t.values).ravel() for t, d in zip(self.tensors, decays)]
        return values, mean, total, np.concatenate(gradient)

    def direction(self, gradient):
        r, alphas = gradient.copy(), []
        for s, y in reversed(self.pairs):
            alphas.append(s @ r / (s @ y))
            r -= alphas[-1] * y
        if self.pairs:
            s, y = self.pairs[-1]
            r *= s @ y / (y @ y)
        for (s, y), alpha in zip(self.pairs, reversed(alphas)):
            r += s * (alpha - y @ r / (s @ y))
        return -r

    def iterate(self):
        """One step of the weights; returns the mean loss at the new ones."""
        values, _, total, gradient = self.at
        d = self.direction(gradient)
        first = 1.0 if self.pairs else min(1.0, 1 / np.abs(d).sum())

        def along(step):
            self.at = self.evaluate(values + step * d)
            return self.at[2], self.at[3] @ d

        search((0.0, total, gradient @ d), first, along)
        s, y = self.at[0] - values, self.at[3] - gradient
        if s @ y > 1e-8 * np.linalg.norm(s) * np.linalg.norm(y):
            self.pairs = [*self.pairs, (s, y)][-self.history:]
        return self.at[1]
