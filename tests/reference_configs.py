#!/usr/bin/env python3
"""Trains networks of options drawn at random, and compares each with the second implementation, reference_epoch.py.

    reference_configs.py MLPDIST FOLDER [--seed S] [--count N] [--only I]

Layers, losses, optimizers and schedules take turns, so that a few configurations cover every kind; the other options are
drawn. FOLDER holds data, runs and the commands that repeat them. Prints a line for each configuration. Exit status: 1 if
one differs, 2 if mlpdist fails or the reference does not know an option.
"""
import argparse
import contextlib
import io
import os
import random
import shlex
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing beside the sources
import reference_epoch  # first: it says what is missing
import h5py
import numpy as np

TOLERANCE = 4e-6
TASKS = ("classes", "values", "answers", "counts")
LAYERS = (["--norm", "batch"], ["--norm", "layer"], ["--norm", "rms"], ["--parametrization", "ntk"], ["--dropout", "0.3"],
          ["--input-scale", "6"], ["--input-noise", "0.3"], ["--input-dropout", "0.2"])
LOSSES = {
    "classes": ([], ["--label-smoothing", "0.1"], ["--focal-gamma", "2"], ["--class-weight", "balanced"],
                ["--focal-gamma", "1.5", "--label-smoothing", "0.2"], ["--class-weight", "1,0.5,2"],
                ["--loss", "mse"], ["--loss", "huber"]),
    "values": (["--loss", "quantile", "--quantiles", "0.2,0.6"], ["--loss", "gaussian"], ["--loss", "huber"],
               ["--loss", "mse-mean"], ["--loss", "mse"], ["--loss", "mae"], ["--loss", "log-cosh"]),
    "answers": ([], ["--label-smoothing", "0.1"], ["--focal-gamma", "2"], ["--focal-gamma", "0.7", "--label-smoothing", "0.2"]),
    "counts": ([],),
}
RATES = {"sgd": 0.05, "momentum": 0.02, "nesterov": 0.02, "adam": 0.01, "adamw": 0.01, "adamax": 0.01, "rmsprop": 0.003,
         "adagrad": 0.02, "lion": 0.002, "lars": 0.5, "lamb": 0.02}
SCHEDULES = ("constant", "step", "cosine", "exponential", "polynomial", "one-cycle", "cosine-restarts", "flat-cosine",
             "coslog4", "plateau", "invscaling")
# Without kinks: where a unit stands on one, single and double precision take different slopes.
ACTIVATIONS = ("tanh", "sigmoid", "silu", "gelu", "mish", "softplus", "elu")


def make_data(folder, task):
    """240 training and 60 validation rows of 6 columns, some of them weighted; for folds the 240 alone."""
    generator = np.random.Generator(np.random.Philox(TASKS.index(task) + 20))
    x = generator.normal(size=(300, 6)) * [1, 2, 0.5, 10, 1, 3] + [0, 1, -1, 50, 0, 0]
    signal = np.tanh((x - x.mean(axis=0)) / x.std(axis=0) @ generator.normal(size=(6, 3)))
    signal += 0.2 * generator.normal(size=signal.shape)
    y = {"classes": np.argmax(signal + [0.4, 0, 0], axis=1), "values": signal[:, :2] * [1, 30] + [2, 0],
         "answers": (signal > 0).astype(np.float32), "counts": generator.poisson(np.exp(signal[:, :2] + 1)).astype(float)}[task]
    weight = generator.uniform(0.25, 2, size=240).astype(np.float32)
    for name, parts in (task, ("train", "valid")), (f"{task}-folds", ("train",)):
        with h5py.File(os.path.join(folder, f"{name}.h5"), "w") as file:
            for part, rows in zip(parts, (slice(0, 240), slice(240, 300))):
                file[f"/{part}/x"], file[f"/{part}/y"] = x[rows].astype(np.float32), y[rows]
            if task in ("classes", "values"):
                file["/train/weight"] = weight


def draw_layers(r, turn):
    """The kind of this turn, others by chance, and hidden layers; every fifth is an ensemble, others have members or folds."""
    options = {}
    for kind in [LAYERS[turn % len(LAYERS)]] + [kind for kind in LAYERS if r.random() < 0.25]:
        options.setdefault(kind[0], kind[1])
    if turn % 5 == 3:
        options["--ensemble"] = "3"
    if turn % 5 == 1 and "--norm" not in options:
        options.update({"--folds": "3"} if turn % 2 == 0 else {"--members": "2"})
    hidden = [str(r.choice((5, 12, 17))) for _ in range(r.choice((1, 2, 3)))]
    activations = [r.choice(ACTIVATIONS) for _ in hidden]
    if "--dropout" in options:
        options["--dropout"] = ",".join(r.choice(("0.1", "0.4", "0.25")) for _ in hidden)
    return ["--hidden", ",".join(hidden), "--activation", ",".join(activations), *(o for pair in options.items() for o in pair)]


def draw_descent(r, turn, layers):
    optimizer, schedule = list(RATES)[turn // 3 % len(RATES)], SCHEDULES[turn % len(SCHEDULES)]
    # At the start of poisson the gradient of a bias is 0 but for rounding, of which lion takes the sign.
    optimizer = "adam" if optimizer == "lion" and turn % len(TASKS) == TASKS.index("counts") else optimizer
    tangent = "ntk" in layers  # weights of its sizes move less
    rate = RATES[optimizer] * (1 if not tangent else 20 if optimizer in ("sgd", "momentum", "nesterov") else 3)
    rate *= 0.3 if turn % len(TASKS) == TASKS.index("counts") else 1
    # A root of a mean square that is hardly more than rounding differs between precisions: epsilon is above it.
    options = ["--optimizer", optimizer, "--lr", f"{rate:.4g}", "--epsilon", "1e-3", "--trust-coefficient", "0.05", "--beta2", r.choice(("0.9", "0.99"))]
    options += ["--schedule", schedule, "--lr-gamma", "0.6", "--lr-step-epochs", r.choice(("0.5", "1")), "--lr-power", "2", "--power-t", "0.2",
                "--lr-min", "0.0005", "--lr-restart-factor", "2", "--lr-patience", "1", "--warmup-epochs", r.choice(("0", "0.5"))]
    if r.random() < 0.4:
        options += ["--weight-decay", r.choice(("0.1", "0.003")), "--decay", r.choice(("auto", "auto", "coupled", "decoupled"))]
    if r.random() < 0.4:
        options += ["--clip-norm", "1" if tangent else r.choice(("0.1", "1"))]
    if r.random() < 0.2:
        options += ["--clip-value", r.choice(("0.1", "0.01"))]
    if turn % 3 == 2:
        # The first biases of poisson are rounding, see above: a mean with them would be, too.
        early = "2" if turn % len(TASKS) == TASKS.index("counts") else "1"
        options += (["--ema", "0.8"], ["--swa-start", early], ["--swa-start", "2"])[turn // 3 % 3]
    if r.random() < 0.2:
        options += ["--lr-scale", r.choice(("linear", "sqrt")), "--base-batch", "64"]
    return options


def draw(seed, turn, folder):
    """Options of configuration number turn."""
    r = random.Random(seed * 1000 + turn)
    task = TASKS[turn % len(TASKS)]
    losses = LOSSES[task]
    goal = list(losses[turn // len(TASKS) % len(losses)])
    goal += {"answers": ["--loss", "binary-cross-entropy", "--task", "regression"], "counts": ["--loss", "poisson"]}.get(task, [])
    lanes = r.choice((1, 2, 3, 5))
    run = ["--batch", str(r.choice((30, 50, 64, 240))), "--lanes", str(lanes), "--epochs", "3", "--seed", str(r.randint(1, 10**9))]
    layers = draw_layers(r, turn)
    path = os.path.join(folder, f"{task}-folds.h5" if "--folds" in layers else f"{task}.h5")
    return ["--data", path, *goal, *layers, *draw_descent(r, turn, layers), *run]


def check(program, folder, turn, options):
    """Trains and compares; the exit status."""
    run = os.path.join(folder, f"run-{turn}")
    command = [program, "train", "--quiet", "--save", "last", "--threads", "1", "--out", run, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"{turn}: exit status {done.returncode}: {done.stderr}{shlex.join(command)}")
        return 2
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = reference_epoch.compare(run, TOLERANCE, least=5)
    print(f"{turn}: {said.getvalue().splitlines()[-1]}")
    if status != 0:
        print(said.getvalue() + shlex.join(command))
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--only", type=int)
    arguments = parser.parse_args()
    for task in TASKS:
        make_data(arguments.folder, task)
    turns = range(arguments.count) if arguments.only is None else [arguments.only]
    return max(check(arguments.program, arguments.folder, turn, draw(arguments.seed, turn, arguments.folder)) for turn in turns)


if __name__ == "__main__":
    sys.exit(main())
