#!/usr/bin/env python3
"""A second implementation of a training run, in double precision, to compare with.

    reference_epoch.py compare RUN [--tolerance T]    trains as RUN/config.ini says; compares with RUN/model.h5
    reference_epoch.py make-counts FILE               writes a small data set of counts
    reference_epoch.py make-regression FILE           writes a small regression data set
    reference_epoch.py make-scores FILE               writes one whose columns have ties and far ends

Written from the definitions, with NumPy and h5py alone: Philox4x32-10, the deal of rows to lanes, their order in each
epoch, initial weights, normalisation, forward pass, back propagation and optimizers. Before the comparison it reads only
the options of RUN. A batch is one matrix here. The lanes decide which rows are in it; the sum over the lanes is the sum
over the batch, up to rounding. The comparison takes the largest difference of a weight, divided by the largest weight of
its array. Single precision rounds at 6e-8; 1e-7 to 6e-7 was seen after one to ten epochs of sgd and momentum. Adam divides
the gradient by its own root mean square: where the gradient is little more than rounding, so is the step. With relu units,
weights differed by 4e-4 after ten epochs, while the losses agreed to 6e-7.
Exit status: 0 alike, 1 different, 2 options that this file does not know, 3 NumPy or h5py is missing.
"""
import argparse
import configparser
import csv
import math
import os
import statistics
import sys

try:
    import h5py
    import numpy as np
except ImportError as error:
    print(f"reference_epoch.py: {error}", file=sys.stderr)
    sys.exit(3)

sys.dont_write_bytecode = True  # nothing beside the sources
from reference_lbfgs import Lbfgs
from reference_network import Network, Pass, unknown
from reference_rng import DEAL_BLOCKS, SHUFFLE, check_philox, folds_of, shuffled
from reference_trees import tree_edges

# ---- Rows ------------------------------------------------------------------------------------------


class Lanes:
    """Which rows each step of each epoch takes."""

    def __init__(self, rows, batch, lanes, seed):
        self.rows, self.lanes, self.seed = rows, lanes, seed
        self.batch = min(batch, rows)
        self.full, self.rest = divmod(rows, self.batch)
        self.steps = self.full + (self.rest > 0)
        block = min(max(rows // (64 * lanes), 1), 4096)
        deal = shuffled(seed, DEAL_BLOCKS, 0, 0, -(-rows // block))
        self.positions = np.concatenate([np.arange(b * block, min((b + 1) * block, rows)) for b in deal])
        self.begin = [self.full * self.cut(self.batch, u) + self.cut(self.rest, u) for u in range(lanes + 1)]

    def cut(self, total, lane):
        return total * lane // self.lanes

    def epoch(self, number):
        """For each step its rows, lane after lane, and the places where lanes begin in them; number from 0."""
        orders = [shuffled(self.seed, SHUFFLE, number, u, self.begin[u + 1] - self.begin[u]) + self.begin[u]
                  for u in range(self.lanes)]
        for step in range(self.steps):
            taken = []
            for u, order in enumerate(orders):
                each = self.cut(self.batch, u + 1) - self.cut(self.batch, u)
                taken.append(order[step * each:(step + 1) * each] if step < self.full else order[self.full * each:])
            yield self.positions[np.concatenate(taken)], [0, *np.cumsum([len(rows) for rows in taken])]


def default_lanes(batch):
    lanes = 1
    while 2 * lanes <= batch // 64:
        lanes *= 2
    return lanes


# ---- Optimizers and schedules ------------------------------------------------------------------------


class Optimizer:
    """Formulas as in PyTorch's torch.optim. Weights alone decay. The constants are stored in single precision: 1 - 0.999
    differs by 1e-5 there. Epsilon is added to the root as the model file has the weights."""

    def __init__(self, options, tensors):
        self.kind, self.tensors, self.t = options["optimizer"], tensors, 0
        self.mu, self.beta1, self.beta2, self.epsilon = (
            float(np.float32(options.real(k))) for k in ("momentum", "beta1", "beta2", "epsilon"))
        self.full_decay, self.clip = options.real("weight-decay"), options.real("clip-norm")
        self.most = options.real("clip-value") or np.inf
        self.trust = options.real("trust-coefficient")
        usual = {"adamw": "decoupled", "lion": "decoupled", "lamb": "beside"}.get(self.kind, "coupled")
        self.form = usual if options["decay"] == "auto" else options["decay"]
        self.first = [np.zeros_like(t.values) for t in tensors]
        self.second = [np.zeros_like(t.values) for t in tensors]

    def update(self, lr, weight, regularization):
        """weight: the sum of the rows' weights; regularization: the factor of weight decay."""
        self.t += 1
        self.decay = self.full_decay * regularization
        learned = [t for t in self.tensors if not t.statistics]
        for t in learned:
            t.gradient = t.gradient / weight
        norm = math.sqrt(sum(((t.gradient / t.stored)**2).sum() for t in learned))
        for t, m, v in zip(self.tensors, self.first, self.second):
            if t.statistics:
                t.values += 0.1 * (t.gradient - t.values)
                continue
            gradient = t.gradient * (self.clip / norm if 0 < self.clip < norm else 1)
            gradient = np.clip(gradient, -self.most * t.stored, self.most * t.stored)
            self.move(t, gradient, m, v, lr * t.rate)

    def direction(self, g, m, v, epsilon):
        """Adam's, of unit rate."""
        m[...] = self.beta1 * m + (1 - self.beta1) * g
        v[...] = self.beta2 * v + (1 - self.beta2) * g * g
        return (m / (1 - self.beta1**self.t)) / (np.sqrt(v / (1 - self.beta2**self.t)) + epsilon)

    def move(self, t, g, m, v, lr):
        w, epsilon, decay, former = t.values, self.epsilon * t.stored, self.decay * t.decays, t.values.copy()
        norms = np.linalg.norm(g)
        if self.form == "coupled" and norms > 0:
            norms += decay * np.linalg.norm(w)
        if self.form == "coupled":
            g = g + decay * w
        if self.form == "decoupled":
            w *= 1 - lr * decay
        if self.kind == "sgd":
            w -= lr * g
        elif self.kind in ("momentum", "nesterov"):
            m[...] = self.mu * m + g
            w -= lr * (m if self.kind == "momentum" else g + self.mu * m)
        elif self.kind == "rmsprop":
            m[...] = self.beta2 * m + (1 - self.beta2) * g * g
            w -= lr * g / (np.sqrt(m) + epsilon)
        elif self.kind == "adamax":
            m[...] = self.beta1 * m + (1 - self.beta1) * g
            v[...] = np.maximum(self.beta2 * v, np.abs(g) + epsilon)
            w -= lr * m / (1 - self.beta1**self.t) / v
        elif self.kind == "adagrad":
            m += g * g
            w -= lr * g / (np.sqrt(m) + epsilon)
        elif self.kind == "lion":
            w -= lr * np.sign(self.beta1 * m + (1 - self.beta1) * g)
            m[...] = self.beta2 * m + (1 - self.beta2) * g
        elif self.kind == "lars":
            m[...] = self.mu * m + trust_ratio(t, former, self.trust, norms) * g
            w -= lr * m
        elif self.kind == "lamb":
            u = self.direction(g, m, v, epsilon) + (decay * former if self.form == "beside" else 0)
            w -= lr * trust_ratio(t, former, 1, np.linalg.norm(u)) * u
        elif self.kind in ("adam", "adamw"):
            w -= lr * self.direction(g, m, v, epsilon)
        else:
            unknown(f"optimizer {self.kind}")


def trust_ratio(tensor, values, coefficient, norm):
    """Of the tensors that decay; 1 where a norm is 0."""
    return coefficient * np.linalg.norm(values) / norm if tensor.decays and norm > 0 and values.any() else 1


class Plateau:
    """The factor of the rate: it falls when the loss has not fallen for a while."""

    def __init__(self, options):
        self.factor, self.best, self.since, self.options = 1.0, math.inf, 0, options

    def after(self, loss):
        self.since += 1
        if loss < self.best - self.options.real("min-delta"):
            self.best, self.since = loss, 0
        if self.since >= int(self.options["lr-patience"]):
            self.factor, self.since = self.factor * self.options.real("lr-gamma"), 0


def learning_rate(options, lanes, step, factor=1.0):
    """factor: of plateau."""
    steps_per_epoch = lanes.steps
    ratio = options.real("batch") / options.real("base-batch")
    base = options.real("lr") * {"none": 1, "linear": ratio, "sqrt": math.sqrt(ratio)}[options["lr-scale"]]
    warmup = math.floor(options.real("warmup-epochs") * steps_per_epoch + 0.5)
    if step < warmup and options["schedule"] == "plateau":
        return base * factor * (step + 1) / warmup
    if step < warmup:
        return base * (step + 1) / warmup
    done, schedule = step - warmup, options["schedule"]
    if schedule == "plateau":
        return max(base * factor, min(options.real("lr-min"), base))
    if schedule == "step":
        return base * options.real("lr-gamma")**math.floor(done / (options.real("lr-step-epochs") * steps_per_epoch))
    if schedule == "exponential":
        return base * options.real("lr-gamma")**(done / (options.real("lr-step-epochs") * steps_per_epoch))
    if schedule == "invscaling":
        return base / (1 + done // steps_per_epoch * lanes.rows)**options.real("power-t")
    t = done / (int(options["epochs"]) * steps_per_epoch - warmup)
    least, rise, flat = options.real("lr-min"), options.real("lr-rise"), options.real("lr-flat")

    def half(start, end, u):
        return end + (start - end) * (1 + math.cos(math.pi * u)) / 2

    if schedule == "cosine":
        return half(base, least, t)
    if schedule == "polynomial":
        return least + (base - least) * (1 - t)**options.real("lr-power")
    if schedule == "one-cycle":
        return half(base / 25, base, t / rise) if t < rise else half(base, least, (t - rise) / (1 - rise))
    if schedule == "flat-cosine":
        return base if t < flat else half(base, least, (t - flat) / (1 - flat))
    if schedule == "coslog4":
        return least + (base - least) * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t))) / 2
    if schedule == "cosine-restarts":
        length = options.real("lr-step-epochs") * steps_per_epoch
        while done >= length:
            done, length = done - length, length * int(options["lr-restart-factor"])
        return half(base, least, done / length)
    if schedule != "constant":
        unknown(f"schedule {schedule}")
    return base


def regularization(options, steps, step):
    """The factor of dropout and weight decay in a step of the run's."""
    if options["regularization-schedule"] == "constant" or 2 * step < steps:
        return 1.0
    return (1 + math.cos(math.pi * (2 * step / steps - 1))) / 2


class Average:
    """The weights that are validated and saved: the network's, or their average."""

    def __init__(self, options, tensors):
        self.tensors, self.steps, self.ends = tensors, 0, []
        self.decay, self.first_epoch = options.real("ema"), int(options["swa-start"])
        self.values = [tensor.values.copy() for tensor in tensors]

    def after_step(self):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.values = [decay * value + (1 - decay) * tensor.values for value, tensor in zip(self.values, self.tensors)]

    def after_epoch(self, epoch):
        if 0 < self.first_epoch <= epoch:
            self.ends.append([tensor.values.copy() for tensor in self.tensors])
            self.values = [sum(each) / len(self.ends) for each in zip(*self.ends)]

    def swap(self):
        """Exchanges the network's weights and the average, if it has begun."""
        if self.decay > 0 or self.ends:
            for i, tensor in enumerate(self.tensors):
                tensor.values[...], self.values[i] = self.values[i], tensor.values.copy()


# ---- A run -----------------------------------------------------------------------------------------


class Options(dict):
    def __init__(self, path):
        parser = configparser.ConfigParser(interpolation=None)
        with open(path, encoding="utf-8") as stream:
            parser.read_file(stream)
        super().__init__({key: value for section in parser.sections() for key, value in parser[section].items()})

    def real(self, key):
        return float(self[key])

    def each(self, key, count):
        """The items of a list, one for each hidden layer."""
        items = self[key].strip('"').split(",")
        return items * count if len(items) == 1 else items


def standard(values):
    deviation = values.std(axis=0)
    return values.mean(axis=0), np.where(deviation > 0, 1 / np.where(deviation > 0, deviation, 1), 0)


def robust(values):
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    half = (values.max(axis=0) - values.min(axis=0)) / 2
    width = np.where(high > low, high - low, half)
    return middle, np.where(width > 0, 1 / np.where(width > 0, width, 1), 0)


def is_far(values):
    """Columns with a value more than 10 deviations from the mean."""
    mean, factor = standard(values)
    return np.maximum(values.max(axis=0) - mean, mean - values.min(axis=0)) * factor > 10


def places_of(values, most=1000):
    """Of the quantiles of a column's curve."""
    return np.linspace(0, 1, min(len(values), most))


def curve(values, most=1000):
    """Knots of a column's normal scores: column_curves.h."""
    places = places_of(values, most)
    quantiles = np.quantile(values, places)
    knots = [(x, places[quantiles == x].mean()) for x in np.unique(quantiles)]
    parts = [part for n in range(60) for part in (0.75 * 0.5**n, 0.5 * 0.5**n)]
    for end, inner, low in ((knots[0], knots[1], True), (knots[-1], knots[-2], False)):
        whole = inner[1] if low else 1 - inner[1]  # a lone least or largest value has knots beside it
        for part in parts if end[1] in (0, 1) else ():
            p = part * (1 if whole > 0.5 else whole)
            if 1e-7 < p <= 0.5 and p < whole:
                knots.append((end[0] + (inner[0] - end[0]) * p / whole, p if low else 1 - p))
    found = dict(sorted(knots))
    score = statistics.NormalDist().inv_cdf
    return np.array(list(found)), np.array([score(min(max(p, 1e-7), 1 - 1e-7)) for p in found.values()])


def normalise(options, pixels, x):
    kind = options["normalize"]
    if kind == "auto":
        kind = "scale" if pixels else "mixed"
    if kind == "scale":
        return x.min(), 1 / (x.max() - x.min())
    if kind == "robust":
        return robust(x)
    if kind == "quantile":
        return np.median(np.quantile(x, places_of(x), axis=0), axis=0), np.ones(x.shape[1])
    return standard(x) if kind in ("standard", "mixed") else (0.0, 1.0)


def read_part(file, part, options=None):
    """x, y and sample weights of a part, as stored."""
    x, y, weight = (f"/{part}/{name}" for name in ("x", "y", "weight"))
    if options is not None:
        x, y = options.get("x", x), options.get("y", y)
    x, y = file[x][...], file[y][...]
    return x, y, file[weight][...].astype(float) if weight in file else np.ones(len(x))


def read_data(options):
    """Training rows, validation rows (or None) and the number of classes (None: values)."""
    with h5py.File(options["data"], "r") as file:
        training = read_part(file, "train", options)
        validation = read_part(file, "valid") if "/valid/x" in file else None
    y = training[1]
    is_class = np.issubdtype(y.dtype, np.integer) and options["task"] != "regression"
    classes = int(y.max()) + 1 if is_class else None
    fraction = 0 if options["valid-fraction"] == "auto" else options.real("valid-fraction")  # auto: of raw tables
    if fraction > 0 and validation is None:  # validation takes the end of a random order
        assert classes is None, "of classes each gives its share, which is not modelled here"
        n = len(y)
        order = Lanes(n, n, 64, int(options["seed"])).positions
        kept = n - math.floor(fraction * n + 0.5)
        validation = [array[order[kept:]] for array in training]
        training = [array[order[:kept]] for array in training]
    return training, validation, classes


class Columns:
    """What becomes of raw columns: numbers stay, categories are one-hot or, of more than --embed-above, codes: those of
    the training rows in order, a missing one (-1) last, if there was one."""

    def __init__(self, options, x):
        self.kept = [None] * x.shape[1]  # of numbers
        with h5py.File(options["data"], "r") as file:
            counts = file["/columns/category_counts"][...] if "/columns/category_counts" in file else self.kept
            kinds = [kind.decode() for kind in file["/columns/kind"]] if "/columns/kind" in file else ["number"] * len(counts)
        for j, count in enumerate(counts):
            if count:
                found = np.unique(x[:, j])
                self.kept[j] = (np.concatenate([found[found >= 0], found[found == -1]]), count > int(options["embed-above"]))
        self.sizes = [size for kept in self.kept for size in
                      ([0] if kept is None else [len(kept[0])] if kept[1] else [0] * len(kept[0]))]
        self.columns = [j for j, kind in enumerate(kinds) if kind == "number"]  # that numbers are embedded of
        self.numbers = [kind == "number" for kind, kept in zip(kinds, self.kept) for _ in
                        range(1 if kept is None or kept[1] else len(kept[0]))]

    def is_number(self):
        return np.array([kept is None for kept in self.kept])

    def inputs(self, x, scaled):
        parts = []
        for j, kept in enumerate(self.kept):
            hot = np.equal.outer(x[:, j], kept[0]) if kept else None
            codes = np.where(hot.any(axis=1), hot.argmax(axis=1), -1)[:, None] if kept else None
            parts.append(scaled[:, j:j + 1] if kept is None else codes if kept[1] else hot)
        return np.concatenate(parts, axis=1).astype(float)


def class_weights(text, y, classes):
    rows = np.bincount(y, minlength=classes)
    if text == "balanced":
        return np.where(rows > 0, len(y) / ((rows > 0).sum() * np.maximum(rows, 1)), 1)
    return np.array([float(weight) for weight in text.split(",")])


class Run:
    def __init__(self, options):
        (x, y, self.sample_weights), valid, self.classes = read_data(options)
        self.options, self.class_weights = options, None
        self.raw = Columns(options, x)
        self.shift, self.scale = (
            np.where(self.raw.is_number(), found, neutral)
            for found, neutral in zip(normalise(options, x.dtype == np.uint8, x.astype(float)), (0, 1)))
        self.curves = self.find_curves(x.astype(float), x.dtype == np.uint8)
        for j in self.curves if options["normalize"] != "quantile" else ():
            self.shift[j], self.scale[j] = np.median(np.quantile(x[:, j].astype(float), places_of(x, 100))), 1
        loss, output = options["loss"], options["output-activation"]
        self.loss = loss if loss != "auto" else "cross-entropy" if self.classes else "mse"
        if output == "auto":
            usual = {"poisson": "exp", "binary-cross-entropy": "sigmoid", "cross-entropy": "softmax"}
            output = usual.get(self.loss, "softmax" if self.classes else "identity")
        self.target = self.target_scale(self.columns(y), output)
        quantiles = options["quantiles"].count(",") + 1
        each = quantiles if loss == "quantile" else 2 if loss == "gaussian" else 1
        if self.classes and options["class-weight"] != "none":
            self.class_weights = class_weights(options["class-weight"], y, self.classes)
        self.num_folds, self.folds = int(options["folds"]), None
        if self.num_folds > 1:
            self.folds = folds_of(int(options["seed"]), self.num_folds, y if self.classes else [0] * len(y))
        edges = self.edges(x.astype(float)) if options["embed-edges"] == "quantiles" else self.tree_edges(x.astype(float), y)
        self.network = Network(options, self.raw.sizes, self.raw.numbers, self.classes or each * self.columns(y).shape[1], output, edges)
        self.x, self.y, self.sample_weights = self.scaled(x, y, self.sample_weights)
        self.valid = self.scaled(*valid) if valid is not None else None
        if self.num_folds > 1:  # each row is validated by the member that leaves it out
            assert self.valid is None, "rows for validation beside folds"
            self.valid = self.x, self.y, self.sample_weights
        lanes, batch = options["lanes"], min(int(options["batch"]), len(x)) if options["optimizer"] != "lbfgs" else len(x)
        lanes = default_lanes(batch) if lanes in ("auto", "0") else int(lanes)
        self.lanes = Lanes(len(x), batch, lanes, int(options["seed"]))
        self.losses, self.valid_losses = [], []

    def find_curves(self, x, pixels):
        kind, numbers = self.options["normalize"], np.flatnonzero(self.raw.is_number())
        if kind == "quantile":
            return {j: curve(x[:, j]) for j in numbers}
        if kind == "mixed" or kind == "auto" and not pixels:
            return {j: curve(x[:, j], 100) for j in numbers if is_far(x)[j]}
        return {}

    def columns(self, y):
        return y if self.classes else y.reshape(len(y), -1).astype(float)

    def target_scale(self, y, output):
        """Shift and factor of the targets."""
        if self.options["normalize-targets"] == "none":
            return 0.0, 1.0
        if self.loss == "poisson":
            return 0.0, 1 / y.mean(axis=0)
        if not self.classes and output == "identity":
            return standard(y)
        return 0.0, 1.0

    def scaled(self, x, y, weights):
        if self.class_weights is not None:
            weights = weights * self.class_weights[y]
        x = self.raw.inputs(x, self.normalised(x.astype(float)))
        return x, y if self.classes else (self.columns(y) - self.target[0]) * self.target[1], weights

    def normalised(self, x):
        scaled = (x - self.shift) * self.scale
        for j, (knots, scores) in self.curves.items():
            scaled[:, j] = np.interp(x[:, j], knots, scores)
        limit = self.options.real("clip-inputs")
        return scaled / np.sqrt(1 + (scaled / limit) ** 2) if limit > 0 else scaled

    def edges(self, x):
        """Of the bins of each number: its distinct quantiles, at places that share out the bins between equal ones."""
        bins = int(self.options["embed-bins"])
        quantiles = np.quantile(x, np.linspace(0, 1, bins + 1), axis=0)
        for j in self.raw.columns:
            full = np.flatnonzero(np.diff(quantiles[:, j]) > 1e-6 * (quantiles[-1, j] - quantiles[0, j]))
            ends, most = bins * np.arange(len(full) + 1) // max(len(full), 1), len(x) // bins // 32
            starts = [(t + np.arange(n) / n) / bins for t, n in zip(full, np.minimum(np.diff(ends), most))]
            if len(full) > 0 and most > 1:
                quantiles[:, j] = np.quantile(x[:, j], np.append(np.concatenate(starts), 1))
        return [np.unique(self.normalised(quantiles)[:, j].astype(np.float32)) for j in self.raw.columns]

    def tree_edges(self, x, y):
        """The same of trees; with folds of each member, which does not know the targets of the rows that it leaves out."""
        edges, scaled = [], np.repeat(x[:1], int(self.options["embed-bins"]) + 1, axis=0)
        for fold in range(max(self.num_folds, 1)):
            learns = self.folds != fold if self.num_folds > 1 else np.ones(len(x), bool)
            for j in self.raw.columns:
                found = tree_edges(x[:, j], self.columns(y), int(self.options["embed-bins"]), self.classes, learns)
                scaled[:len(found), j] = found
                edges.append(np.unique(self.normalised(scaled)[:len(found), j].astype(np.float32)))
        return edges

    def validate(self):
        x, y, weights = self.valid
        z, a = self.network.predict(x, self.folds)
        losses, _ = self.network.loss(z, a, y, self.loss)
        return (losses * weights).sum() / weights.sum()

    def of_members(self, rows):
        """Weights of rows; with folds for each member, of which one has none, and the others more."""
        if self.folds is None:
            return self.sample_weights[rows]
        learns = self.folds[rows][:, None] != np.arange(self.num_folds)
        return self.sample_weights[rows][:, None] * learns * self.num_folds / (self.num_folds - 1)

    def train_epoch(self, epoch, optimizer, plateau, average):
        """Returns the loss."""
        total, first, seed = 0.0, 0, int(self.options["seed"])
        for step, (rows, bounds) in enumerate(self.lanes.epoch(epoch)):
            weights = self.sample_weights[rows]
            done = epoch * self.lanes.steps + step
            factor = regularization(self.options, int(self.options["epochs"]) * self.lanes.steps, done)
            at = Pass(True, seed, epoch, first, bounds, factor)
            total += self.network.step(self.x[rows], self.y[rows], self.loss, self.of_members(rows), at)
            optimizer.update(learning_rate(self.options, self.lanes, done, plateau.factor), weights.sum(), factor)
            average.after_step()
            first += len(rows)
        return total / self.sample_weights.sum()

    def loss_of_all(self):
        """Over all rows, with its gradients."""
        return self.network.step(self.x, self.y, self.loss, self.sample_weights, Pass(True))

    def train_by_search(self):
        search = Lbfgs(self.options, self.network.tensors(), self.loss_of_all, self.sample_weights.sum())
        for _ in range(int(self.options["epochs"])):
            self.losses.append(search.iterate())
            if self.valid is not None:
                self.valid_losses.append(self.validate())

    def train(self):
        if self.options["optimizer"] == "lbfgs":
            self.train_by_search()
            return
        optimizer, plateau = Optimizer(self.options, self.network.tensors()), Plateau(self.options)
        average = Average(self.options, self.network.tensors())
        for epoch in range(int(self.options["epochs"])):
            self.losses.append(self.train_epoch(epoch, optimizer, plateau, average))
            average.after_epoch(epoch + 1)
            average.swap()
            if self.valid is not None:
                self.valid_losses.append(self.validate())
            average.swap()
            plateau.after((self.valid_losses or self.losses)[-1])
        average.swap()  # of the last epoch


# ---- Commands --------------------------------------------------------------------------------------


def difference(theirs, ours):
    return float(np.abs(theirs - ours).max() / max(np.abs(ours).max(), 1e-30))


def compare_layer(number, layer, model):
    """Returns the largest difference of a tensor, and by how much training moved the one that moved least."""
    worst, moved, scale = 0.0, math.inf, 0.0
    for tensor in layer.tensors:
        theirs = model[f"/network/layer_{number}/{tensor.name}"][...]
        ours, start = tensor.values * tensor.stored, tensor.start * tensor.stored
        if theirs.shape != ours.shape:
            print(f"layer {number}: {tensor.name} has shape {theirs.shape}, expected {ours.shape}")
            return math.inf, 0.0
        # A bias starts at 0 and may still be next to it: beside the weights it is added to, it counts as they do.
        scale = max(scale, np.abs(ours).max())
        error = float(np.abs(theirs - ours).max() / max(scale, 1e-30))
        print(f"layer {number}: {tensor.name} differs by {error:.2e}")
        worst = max(worst, error)
        if ours.ndim > 1 and tensor.rate > 0:
            moved = min(moved, float(np.abs(ours - start).max() / max(np.abs(ours).max(), 1e-30)))
    return worst, moved


def compare_losses(folder, run):
    """Losses of training and validation, epoch by epoch."""
    with open(os.path.join(folder, "metrics.csv"), encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if len(rows) != len(run.losses):
        return math.inf
    error = difference(np.array([float(row["train_loss"]) for row in rows]), np.array(run.losses))
    if run.valid is None:
        return error
    return max(error, difference(np.array([float(row["valid_loss"]) for row in rows]), np.array(run.valid_losses)))


def compare(folder, tolerance, least=100):
    """least: training must move the weights by this times the tolerance, so that the comparison means something."""
    check_philox()
    run = Run(Options(os.path.join(folder, "config.ini")))
    run.train()
    worst, moved = 0.0, math.inf
    with h5py.File(os.path.join(folder, "model.h5"), "r") as model:
        for l, layer in enumerate([layer for layer in run.network.layers if layer.in_file]):
            error, change = compare_layer(l + 1, layer, model)
            worst, moved = max(worst, error), min(moved, change)
        worst = max(worst, difference(model["/input/shift"][...], run.shift), difference(model["/input/scale"][...], run.scale))
    loss_error = compare_losses(folder, run)
    alike = worst <= tolerance and loss_error <= tolerance and moved > least * tolerance
    print(f"{'alike' if alike else 'DIFFERENT'}: weights by {worst:.2e}, losses by {loss_error:.2e}, "
          f"tolerance {tolerance:.2e}; training moved the weights by {moved:.2e}")
    return 0 if alike else 1


def make_counts(path):
    """300 rows, 4 columns, 2 targets that are counts."""
    generator = np.random.Generator(np.random.Philox(8))
    x = generator.normal(size=(300, 4))
    with h5py.File(path, "w") as file:
        file["/train/x"] = x.astype(np.float32)
        file["/train/y"] = generator.poisson(np.exp(x @ [[0.5, -0.2], [0, 0.9], [0.3, 0], [-0.4, 0.1]] + [1, 3])).astype(float)
    return 0


def make_regression(path):
    """391 rows, 7 columns of different scales, 3 targets, sample weights: y = a smooth function + noise."""
    generator = np.random.Generator(np.random.Philox(7))
    x = generator.normal(size=(391, 7)) * np.logspace(-1, 3, 7) + np.linspace(-5, 5, 7)
    unit = (x - np.linspace(-5, 5, 7)) / np.logspace(-1, 3, 7)
    y = np.tanh(unit @ generator.normal(size=(7, 3))) * [1, 10, 100] + [0, 5, -50]
    with h5py.File(path, "w") as file:
        file["/train/x"] = x.astype(np.float32)
        file["/train/y"] = (y + generator.normal(size=y.shape) * 0.05).astype(np.float32)
        file["/train/weight"] = generator.uniform(0.25, 2, size=len(x)).astype(np.float32)
    return 0


def make_categories(path):
    """320 rows: a number, 12 categories, some missing, 3 categories, a number; a target that depends on all."""
    generator = np.random.Generator(np.random.Philox(9))
    many, few = generator.integers(-1, 12, size=320), generator.integers(0, 3, size=320)
    x = np.stack([generator.normal(3, 2, size=320), many, few, generator.normal(size=320)], axis=1).astype(np.float32)
    y = x[:, 0] * (many % 3) + few + x[:, 3] + generator.normal(size=12)[many]
    with h5py.File(path, "w") as file:
        file["/train/x"], file["/train/y"] = x[:260], y[:260]
        file["/valid/x"], file["/valid/y"] = x[260:], y[260:]
        file["/columns/kind"] = np.array(["number", "category", "category", "number"], "S")
        file["/columns/category_counts"] = np.array([0, 12, 3, 0], "u8")
        file["/columns/categories"] = np.array([f"c{k}" for count in (12, 3) for k in range(count)], "S")
    return 0


def make_scores(path):
    """1100 rows, more than a curve has quantiles: a number whose ends lie far out, small integers, many zeros below large
    numbers. Validation rows lie between and beyond the training's, so that the curves count between their knots, too."""
    generator = np.random.Generator(np.random.Philox(11))

    def rows(count):
        skew = np.where(generator.uniform(size=count) < 0.3, 0, generator.exponential(4, size=count))
        x = np.stack([generator.normal(size=count), generator.integers(0, 6, size=count), skew], axis=1)
        return x, np.tanh(x[:, 0]) + x[:, 1] / 3 - np.sqrt(x[:, 2])

    x, y = rows(1100)
    x[17, 0], x[900, 0], x[500, 2] = -40, 60, 90
    valid, valid_y = rows(90)
    valid[:60, 0], valid[60:, 2] = np.linspace(-45, 65, 60), np.linspace(20, 100, 30)
    valid[:30, 1] = np.linspace(-1, 7, 30)
    with h5py.File(path, "w") as file:
        file["/train/x"], file["/train/y"] = x.astype(np.float32), y.astype(np.float32)
        file["/valid/x"], file["/valid/y"] = valid.astype(np.float32), valid_y.astype(np.float32)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    comparing = commands.add_parser("compare")
    comparing.add_argument("run")
    comparing.add_argument("--tolerance", type=float, default=2e-6)
    commands.add_parser("make-regression").add_argument("file")
    commands.add_parser("make-counts").add_argument("file")
    commands.add_parser("make-categories").add_argument("file")
    commands.add_parser("make-scores").add_argument("file")
    arguments = parser.parse_args()
    if arguments.command == "make-scores":
        return make_scores(arguments.file)
    if arguments.command == "make-categories":
        return make_categories(arguments.file)
    if arguments.command == "make-counts":
        return make_counts(arguments.file)
    if arguments.command == "make-regression":
        return make_regression(arguments.file)
    return compare(arguments.run, arguments.tolerance)


if __name__ == "__main__":
    sys.exit(main())
