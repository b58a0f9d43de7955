#!/usr/bin/env python3
"""A second implementation of a training run, in double precision, to compare with.

    reference_epoch.py compare RUN [--tolerance T]    trains as RUN/config.ini says; compares with RUN/model.h5
    reference_epoch.py make-counts FILE               writes a small data set of counts
    reference_epoch.py make-regression FILE           writes a small regression data set

Written from the definitions, with NumPy and h5py alone: Philox4x32-10, the deal of rows to lanes, their order in each
epoch, initial weights, normalisation, forward pass, back propagation and optimizers. Nothing of RUN is read but its
options, until the comparison. One batch is one matrix here: the lanes say which rows it has, the sum over them is the
same up to rounding. The figure compared is the largest difference of a weight, divided by the largest weight of its
array: single precision rounds at 6e-8, and 1e-7 to 6e-7 is seen after an epoch or ten of sgd and momentum. Adam divides
by the root of the gradient's own square, so that where a gradient is hardly more than rounding the weight's step is,
too: 4e-4 was seen after ten epochs with relu units, the losses being alike to 6e-7.
Exit status: 0 alike, 1 different, 2 options this file does not know, 3 NumPy or h5py missing.
"""
import argparse
import configparser
import csv
import math
import os
import sys

try:
    import h5py
    import numpy as np
except ImportError as error:
    print(f"reference_epoch.py: {error}", file=sys.stderr)
    sys.exit(3)

sys.dont_write_bytecode = True  # nothing beside the sources
from reference_network import Network, unknown
from reference_rng import DEAL_BLOCKS, SHUFFLE, check_philox, shuffled

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
        """Arrays of rows, one a step; number from 0."""
        orders = [shuffled(self.seed, SHUFFLE, number, u, self.begin[u + 1] - self.begin[u]) + self.begin[u]
                  for u in range(self.lanes)]
        for step in range(self.steps):
            taken = []
            for u, order in enumerate(orders):
                each = self.cut(self.batch, u + 1) - self.cut(self.batch, u)
                taken.append(order[step * each:(step + 1) * each] if step < self.full else order[self.full * each:])
            yield self.positions[np.concatenate(taken)]


def default_lanes(batch):
    lanes = 1
    while 2 * lanes <= batch // 64:
        lanes *= 2
    return lanes


# ---- Optimizers and schedules ------------------------------------------------------------------------


class Optimizer:
    """Formulas as in PyTorch's torch.optim; weight decay on weights alone."""

    def __init__(self, options, arrays, num_weights):
        self.kind = options["optimizer"]
        self.mu, self.beta1, self.beta2 = (options.real(k) for k in ("momentum", "beta1", "beta2"))
        self.epsilon, self.decay = options.real("epsilon"), options.real("weight-decay")
        self.trust, self.num_weights, self.t = options.real("trust-coefficient"), num_weights, 0
        forms = {"adamw": 2, "lion": 2, "lamb": 1}  # 0: in the gradient, 1: in lamb's direction, 2: decoupled
        self.form = {"auto": forms.get(self.kind, 0), "coupled": 0, "decoupled": 2}[options["decay"]]
        self.first = [np.zeros_like(a) for a in arrays]
        self.second = [np.zeros_like(a) for a in arrays]

    def trust_ratio(self, w, coefficient, norm, i):
        return coefficient * np.linalg.norm(w) / norm if i < self.num_weights and norm > 0 and w.any() else 1

    def update(self, arrays, gradients, lr):
        self.t += 1
        for i, (w, g) in enumerate(zip(arrays, gradients)):
            decay = self.decay if i < self.num_weights else 0
            keep, decay, beside = ((1, decay, 0), (1, 0, decay), (1 - lr * decay, 0, 0))[self.form]
            m, v = self.first[i], self.second[i]
            if self.kind == "lars":
                ratio = self.trust_ratio(w, self.trust, np.linalg.norm(g) + decay * np.linalg.norm(w), i)
            g = g + decay * w
            w *= keep
            if self.kind == "sgd":
                w -= lr * g
            elif self.kind in ("momentum", "nesterov"):
                m[...] = self.mu * m + g
                w -= lr * (m if self.kind == "momentum" else g + self.mu * m)
            elif self.kind == "rmsprop":
                beta2 = float(np.float32(self.beta2))
                m[...] = beta2 * m + (1 - beta2) * g * g
                w -= lr * g / (np.sqrt(m) + self.epsilon)
            elif self.kind == "adagrad":
                m += g * g
                w -= lr * g / (np.sqrt(m) + self.epsilon)
            elif self.kind == "lion":
                w -= lr * np.sign(self.beta1 * m + (1 - self.beta1) * g)
                m[...] = self.beta2 * m + (1 - self.beta2) * g
            elif self.kind == "lars":
                m[...] = self.mu * m + ratio * g
                w -= lr * m
            elif self.kind in ("adam", "adamw", "lamb"):
                m[...] = self.beta1 * m + (1 - self.beta1) * g
                v[...] = self.beta2 * v + (1 - self.beta2) * g * g
                u = (m / (1 - self.beta1**self.t)) / (np.sqrt(v / (1 - self.beta2**self.t)) + self.epsilon)
                if self.kind == "lamb":
                    u = u + beside * w
                    u = u * self.trust_ratio(w / keep, 1, np.linalg.norm(u), i)
                w -= lr * u
            else:
                unknown(f"optimizer {self.kind}")


def learning_rate(options, steps_per_epoch, step):
    if options["lr-scale"] != "none":
        unknown("lr-scale")
    base, warmup = options.real("lr"), round(options.real("warmup-epochs") * steps_per_epoch)
    if step < warmup:
        return base * (step + 1) / warmup
    done, schedule = step - warmup, options["schedule"]
    if schedule == "step":
        return base * options.real("lr-gamma")**(done // round(options.real("lr-step-epochs") * steps_per_epoch))
    if schedule == "exponential":
        return base * options.real("lr-gamma")**(done / (options.real("lr-step-epochs") * steps_per_epoch))
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
        length = round(options.real("lr-step-epochs") * steps_per_epoch)
        while done >= length:
            done, length = done - length, length * int(options["lr-restart-factor"])
        return half(base, least, done / length)
    if schedule != "constant":
        unknown(f"schedule {schedule}")
    return base


# ---- A run -----------------------------------------------------------------------------------------


class Options(dict):
    def __init__(self, path):
        parser = configparser.ConfigParser(interpolation=None)
        with open(path, encoding="utf-8") as stream:
            parser.read_file(stream)
        super().__init__({key: value for section in parser.sections() for key, value in parser[section].items()})

    def real(self, key):
        return float(self[key])


def standard(values):
    deviation = values.std(axis=0)
    return values.mean(axis=0), np.where(deviation > 0, 1 / np.where(deviation > 0, deviation, 1), 0)


def normalise(options, pixels, x):
    kind = options["normalize"]
    if kind == "auto":
        kind = "scale" if pixels else "standard"
    if kind == "scale":
        return x.min(), 1 / (x.max() - x.min())
    return standard(x) if kind == "standard" else (0.0, 1.0)


def read_training(options):
    """x, y, sample weights and the number of classes (None: values) of the rows trained on, as stored."""
    with h5py.File(options["data"], "r") as file:
        x, y = file[options.get("x", "/train/x")][...], file[options.get("y", "/train/y")][...]
        weights = file["/train/weight"][...].astype(float) if "/train/weight" in file else np.ones(len(x))
        own_validation = "/valid/x" in file
    classes = int(y.max()) + 1 if np.issubdtype(y.dtype, np.integer) else None
    fraction = 0 if options["valid-fraction"] == "auto" else options.real("valid-fraction")  # auto: of raw tables
    if fraction > 0 and not own_validation:  # validation takes the end of a random order
        assert classes is None, "of classes each gives its share, which is not modelled here"
        order = Lanes(len(x), len(x), 64, int(options["seed"])).positions
        kept = order[:len(x) - math.floor(fraction * len(x) + 0.5)]
        x, y, weights = x[kept], y[kept], weights[kept]
    return x, y if classes else y.reshape(len(y), -1).astype(float), weights, classes


def class_weights(text, y, classes):
    rows = np.bincount(y, minlength=classes)
    if text == "balanced":
        return np.where(rows > 0, len(y) / ((rows > 0).sum() * np.maximum(rows, 1)), 1)
    return np.array([float(weight) for weight in text.split(",")])


class Run:
    def __init__(self, options):
        seed, batch = int(options["seed"]), int(options["batch"])
        x, y, self.sample_weights, classes = read_training(options)
        self.shift, self.scale = normalise(options, x.dtype == np.uint8, x.astype(float))
        self.x, self.y = (x.astype(float) - self.shift) * self.scale, y
        loss, output = options["loss"], options["output-activation"]
        self.loss = loss if loss != "auto" else "cross-entropy" if classes else "mse"
        output = output if output != "auto" else "softmax" if classes else "exp" if loss == "poisson" else "identity"
        if not classes and output == "identity" and options["normalize-targets"] != "none":
            self.target = standard(y)
            self.y = (y - self.target[0]) * self.target[1]
        if loss == "poisson" and options["normalize-targets"] != "none":
            self.y = y / y.mean(axis=0)
        quantiles = [float(tau) for tau in options["quantiles"].split(",")]
        each = len(quantiles) if loss == "quantile" else 2 if loss == "gaussian" else 1
        hidden = [int(width) for width in options["hidden"].strip('"').split(",") if width]
        self.network = Network([x.shape[1], *hidden, classes or each * y.shape[1]], options["activation"], output,
                               options["init"], seed)
        self.network.quantiles = quantiles
        self.network.parameters = options.real("label-smoothing"), options.real("focal-gamma")
        if classes and options["class-weight"] != "none":
            self.sample_weights = self.sample_weights * class_weights(options["class-weight"], y, classes)[y]
        lanes = options["lanes"]
        batch = min(batch, len(x))
        self.lanes = Lanes(len(x), batch, default_lanes(batch) if lanes in ("auto", "0") else int(lanes), seed)
        self.options, self.losses = options, []

    def train(self):
        network, step, clip = self.network, 0, self.options.real("clip-norm")
        arrays = network.weights + network.biases
        optimizer = Optimizer(self.options, arrays, len(network.weights))
        for epoch in range(int(self.options["epochs"])):
            total = 0.0
            for rows in self.lanes.epoch(epoch):
                weights = self.sample_weights[rows]
                loss, gradients = network.gradient(self.x[rows], self.y[rows], self.loss, weights)
                gradients = [g / weights.sum() for g in gradients]
                norm = math.sqrt(sum((g * g).sum() for g in gradients))
                if 0 < clip < norm:
                    gradients = [g * (clip / norm) for g in gradients]
                optimizer.update(arrays, gradients, learning_rate(self.options, self.lanes.steps, step))
                total += loss
                step += 1
            self.losses.append(total / self.sample_weights.sum())


# ---- Commands --------------------------------------------------------------------------------------


def difference(theirs, ours):
    return float(np.abs(theirs - ours).max() / max(np.abs(ours).max(), 1e-30))


def compare(folder, tolerance):
    check_philox()
    run = Run(Options(os.path.join(folder, "config.ini")))
    start = [w.copy() for w in run.network.weights]
    run.train()
    worst, moved = 0.0, math.inf
    with h5py.File(os.path.join(folder, "model.h5"), "r") as model:
        for l, (w, b) in enumerate(zip(run.network.weights, run.network.biases)):
            theirs = model[f"/network/layer_{l + 1}/weight"][...], model[f"/network/layer_{l + 1}/bias"][...]
            if theirs[0].shape != w.shape or theirs[1].shape != b.shape:
                print(f"layer {l + 1}: shape {theirs[0].shape}, expected {w.shape}")
                return 1
            # A bias starts at 0 and may still be next to it: beside the weights it is added to, it counts as they do.
            scale = max(np.abs(b).max(), np.abs(w).max())
            errors = difference(theirs[0], w), float(np.abs(theirs[1] - b).max() / scale)
            print(f"layer {l + 1}: weight differs by {errors[0]:.2e}, bias by {errors[1]:.2e}")
            worst, moved = max(worst, *errors), min(moved, difference(start[l], w))
        worst = max(worst, difference(model["/input/shift"][...], np.broadcast_to(run.shift, run.x.shape[1])),
                    difference(model["/input/scale"][...], np.broadcast_to(run.scale, run.x.shape[1])))
    with open(os.path.join(folder, "metrics.csv"), encoding="utf-8") as stream:
        losses = [float(row["train_loss"]) for row in csv.DictReader(stream)]
    loss_error = difference(np.array(losses), np.array(run.losses)) if len(losses) == len(run.losses) else math.inf
    alike = worst <= tolerance and loss_error <= tolerance and moved > 100 * tolerance
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    comparing = commands.add_parser("compare")
    comparing.add_argument("run")
    comparing.add_argument("--tolerance", type=float, default=2e-6)
    commands.add_parser("make-regression").add_argument("file")
    commands.add_parser("make-counts").add_argument("file")
    arguments = parser.parse_args()
    if arguments.command == "make-counts":
        return make_counts(arguments.file)
    if arguments.command == "make-regression":
        return make_regression(arguments.file)
    return compare(arguments.run, arguments.tolerance)


if __name__ == "__main__":
    sys.exit(main())
