#!/usr/bin/env python3
"""Checks the numbers that `mlpdist explain` prints against a network in double precision.

Usage: reference_explain.py MLPDIST

Forward values, the cost and the new weights are compared with their definitions; the derivative by each Z and each
tensor with central differences of the cost. What is drawn (weights, dropout, noise) is taken from the output.
"""
import itertools
import re
import subprocess
import sys

import numpy as np

X = np.array([[1, 0.5, -1], [0.25, -2, 1], [-1, 1, 0.75], [2, 1.5, 0.5]])
ONE_HOT = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])
VALUES = np.array([[0.3], [2], [-1.5], [1]])
COUNTS = np.array([[0], [2], [1], [4]])
BINARY = np.array([[0], [1], [1], [1]])
CODES = np.array([[0, 3], [2, 0], [1, 3], [2, 1]])  # of 3 and of 4 categories
CATEGORIES = "3,0,4,0"
STEP = 1e-5


def lesson(x, targets):
    rows = (" ".join(map(str, x)) + " -> " + " ".join(map(str, y)) for x, y in zip(x, targets))
    return "".join(f"sample {row}\n" for row in rows)


def read(text):
    """[(left side, operator, right side, matrix)] in order."""
    found, open_row = [], False
    for line in text.splitlines():
        head = re.match(r"  (\S.*?) +\((\d+), (\d+)\)( +\[.*)?$", line)
        if head:
            left, op, right = (re.split(r" (=|<-) ", head[1], maxsplit=1) + ["", ""])[:3]
            found.append((left.split()[0], op, right, []))
        row = re.search(r"( +\[)?((?: +-?[\d.]+(?:e[+-]\d+)?)+)(  \])?$", line)
        if row and (row[1] or open_row):  # a wide row goes on in the lines below
            rows = found[-1][3]
            rows.extend([[]] if row[1] else [])
            rows[-1] += [float(number) for number in row[2].split()]
            open_row = row[3] is None
    return [(left, op, right, np.array(rows)) for left, op, right, rows in found]


ACTIVATIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
    "exp": np.exp,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}


LEARNED = r"[WB]\d|gain\d|shift\d|S|Sk|Ec|We|be|f|p"  # tensors that a step changes, by the names that explain prints


class Lesson:

    def __init__(self, program, targets, options):
        self.o = dict(zip(options[::2], options[1::2]))
        self.y = targets
        run = [program, "explain", "--network", "-", "--hidden", "3,2", "--activation", "tanh", "--digits", "9"]
        run += itertools.chain(*((f"--{name}", value) for name, value in self.o.items()))
        samples = np.column_stack([CODES[:, 0], X[:, 0], CODES[:, 1], X[:, 1]]) if "categories" in self.o else X
        made = subprocess.run(run, input=lesson(samples, targets), capture_output=True, text=True)
        if made.returncode != 0 or made.stderr:
            raise SystemExit(f"{' '.join(run)}: {made.stderr}")
        self.what = " ".join(run[10:])
        self.text = made.stdout
        self.take(samples)
        self.printed = read(made.stdout)
        self.first = {}
        self.sure = 0
        for left, op, _, matrix in self.printed:
            if op != "<-":
                self.first.setdefault(left, matrix)

    def take(self, samples):
        """self.x, and of each column: 0, a number; N, a code of N categories to embed; -1, of a one-hot input."""
        columns, self.roles = [], []
        for i, size in enumerate(map(int, self.o.get("categories", "0,0,0").split(","))):
            one_hot = 0 < size <= self.real("embed-above", 9)
            columns += [samples[:, i] == k for k in range(size)] if one_hot else [samples[:, i]]
            self.roles += [-1] * size if one_hot else [size]
        self.x = np.column_stack(columns).astype(float)

    def real(self, name, default=0.0):
        return float(self.o.get(name, default))

    def check(self, name, printed, want, tolerance=2e-6, where=True):
        want = np.broadcast_to(want, printed.shape)
        off = np.abs(np.where(where, printed - want, 0)).max()
        if not off <= tolerance * (1 + np.abs(want).max()):
            raise SystemExit(f"{self.what}: {name} is off by {off:g}:\n{printed}\nnot\n{want}")

    # ---- The cost, by definition ----------------------------------------------------------------------

    def norm(self, u, seen, d):
        if self.o["norm"] == "rms":
            seen[f"s{d}"] = np.sqrt((u**2).mean(axis=1, keepdims=True) + 1e-5)
            seen[f"Uhat{d}"] = u / seen[f"s{d}"]
            return self.first[f"gain{d}"] * seen[f"Uhat{d}"]
        axis = 1 if self.o["norm"] == "layer" else 0
        seen[f"mu{d}"] = u.mean(axis=axis, keepdims=True)
        seen[f"s{d}"] = np.sqrt(u.var(axis=axis, keepdims=True) + 1e-5)
        seen[f"Uhat{d}"] = (u - seen[f"mu{d}"]) / seen[f"s{d}"]
        return self.first[f"gain{d}"] * seen[f"Uhat{d}"] + self.first[f"shift{d}"]

    def look_up(self, x, table):
        """A row of the table in place of each code, and the role of each column then."""
        values, roles, first = [], [], 0
        for j, size in enumerate(self.roles):
            values.append(table[first + x[:, j].astype(int)] if size > 0 else x[:, [j]])
            roles += [-1] * values[-1].shape[1] if size > 0 else [size]
            first += max(size, 0)
        return np.hstack(values), roles

    def bend(self, x, columns, p):
        """Angles, or parts of bins, of the numbers of one member."""
        if "f" in p:
            return np.hstack([2 * np.pi * p["f"][k] * x[:, [j]] + p["p"][k] for k, j in enumerate(columns)])
        low, high = p["e"][:, :-1].ravel(), p["e"][:, 1:].ravel()
        width = np.where(high > low, high - low, np.inf)
        return np.clip((np.repeat(x[:, columns], p["e"].shape[1] - 1, axis=1) - low) / width, 0, 1)

    def embed(self, x, roles, p, keep, seen):
        """Values of each number: of cosines, or of bins."""
        columns = [j for j, role in enumerate(roles) if role == 0]
        bent = np.vstack([self.bend(*of, own) for *of, own in self.of_members(x, columns, p)])
        seen["A" if "f" in p else "c_t"] = bent
        if "f" in p:
            bent = seen["K"] = np.cos(keep("A", bent))
        each, made = bent.shape[1] // len(columns), []
        for (rows, _, own), parts in zip(self.of_members(x, columns, p), np.split(bent, self.apart)):
            values = []
            for j in range(rows.shape[1]):
                if j in columns:
                    k = columns.index(j)
                    weight = own["We"][k].reshape(-1, each).T if "f" in p else own["We"][k].reshape(each, -1)
                    values.append(parts[:, k * each : (k + 1) * each] @ weight + (own["be"][k] if "f" in p else 0))
                values.append(rows[:, [j]])
            made.append(np.hstack(values))
        return keep("Xe", np.vstack(made))

    @property
    def apart(self):
        """Members whose inputs are their own: of each rows and tensors are one below the other."""
        early = "members" in self.o and any(name in self.first for name in ("Xc", "Xn", "Xe", "Xd"))
        return self.members if early else 1

    def of_members(self, x, columns, p):
        for k, rows in enumerate(np.split(x, self.apart)):
            names = [name for name in ("Ec", "f", "p", "e", "We", "be") if name in p]
            yield rows, columns, {name: np.split(p[name], self.apart)[k] for name in names}

    def forward(self, bump):
        """All values by name. bump(name, value) may move a value by a little."""
        seen = {}

        def keep(name, value):
            seen[name] = bump(name, value)
            return seen[name]

        p = {name: bump(name, value) for name, value in self.first.items()}
        a, roles = self.x, self.roles
        if self.apart > 1:
            a = keep("Xk", np.vstack([a] * self.members))
        if "Ec" in p:
            found = [self.look_up(rows, own["Ec"]) for rows, _, own in self.of_members(a, None, p)]
            a, roles = keep("Xc", np.vstack([rows for rows, _ in found])), found[0][1]
        for name, move in (("Xn", lambda v: v + p["E"]), ("Xd", lambda v: p["F"] * v),
                           ("Xs", lambda v: v * np.repeat(p["S"], len(v) // len(p["S"]), axis=0))):
            a = keep(name, move(a)) if name in p else a
            a = self.embed(a, roles, p, keep, seen) if name == "Xn" and "Xe" in p else a
        if "Xk" in p and self.apart == 1:
            a = keep("Xk", np.vstack([a * (p["Sk"][k] if "Sk" in p else 1) for k in range(self.members)]))
        for d in 1, 2, 3:
            if self.heads(d):  # of each member rows, weights and biases are one below the other
                parts = [np.split(p[name], self.members) for name in (f"W{d}", f"B{d}")]
                z = np.vstack([h @ w + b for h, w, b in zip(np.split(a, self.members), *parts)])
            else:
                z = a @ p[f"W{d}"] + (p[f"B{d}"] if f"B{d}" in p else 0)
            if f"gain{d}" in p:
                saved, self.first = self.first, p
                z = self.norm(keep(f"U{d}", z), seen, d)
                self.first = saved
            z = keep(f"Z{d}", z)
            name = "Yhat" if d == 3 else f"H{d}"
            a = keep(name, ACTIVATIONS[self.output if d == 3 else "tanh"](z))
            a = keep(f"D{d}", p[f"F{d}"] * a) if f"F{d}" in p else a
        return seen

    @property
    def members(self):
        return int(self.o.get("ensemble", self.o.get("members", 1)))

    def heads(self, d):
        return "members" in self.o or "ensemble" in self.o and d == 3

    @property
    def output(self):
        by_loss = {"cross-entropy": "softmax", "binary-cross-entropy": "sigmoid", "poisson": "exp"}
        return by_loss.get(self.o.get("loss"), "identity")

    def weights(self):
        text = self.o.get("class-weight", "none")
        of_class = self.y.argmax(axis=1) if self.y.shape[1] > 1 else self.y[:, 0].astype(int)
        if text == "none":
            return np.ones(len(X))
        if text == "balanced":
            classes = max(2, self.y.shape[1])
            return np.array([len(X) / (classes * (of_class == c).sum()) for c in of_class])
        return np.array([float(text.split(",")[c]) for c in of_class])

    def losses(self, yhat):
        y, loss, gamma = self.y, self.o.get("loss", "mse"), self.real("focal-gamma")
        share, r = self.real("label-smoothing"), yhat - self.y if yhat.shape == self.y.shape else None
        y = (1 - share) * y + share / (y.shape[1] if y.shape[1] > 1 else 2)
        if loss == "cross-entropy":
            return -(y * (1 - yhat) ** gamma * np.log(yhat)).sum(axis=1)
        if loss == "binary-cross-entropy":
            wrong = y * (1 - yhat) + (1 - y) * yhat
            return (wrong**gamma * -(y * np.log(yhat) + (1 - y) * np.log(1 - yhat))).sum(axis=1)
        if loss == "quantile":
            tau = np.array([float(q) for q in self.o["quantiles"].split(",")])
            return np.maximum(tau * (self.y - yhat), (tau - 1) * (self.y - yhat)).sum(axis=1)
        if loss == "gaussian":
            return 0.5 * (yhat[:, 1] + (self.y[:, 0] - yhat[:, 0]) ** 2 / np.exp(yhat[:, 1]))
        if loss == "poisson":
            return (yhat - self.y * np.log(yhat)).sum(axis=1)
        if loss == "huber":
            return np.where(np.abs(r) <= 1, r * r / 2, np.abs(r) - 0.5).sum(axis=1)
        if loss == "log-cosh":
            return np.log(np.cosh(r)).sum(axis=1)
        return {"mse": r * r / 2, "mse-mean": r * r / r.shape[1], "mae": np.abs(r)}[loss].sum(axis=1)

    def cost(self, bump=lambda name, value: value):
        members = np.split(self.forward(bump)["Yhat"], self.members)
        return np.mean([(self.weights() * self.losses(yhat)).sum() for yhat in members])

    # ---- Derivatives, by central differences ----------------------------------------------------------

    def slope(self, name, shape):
        slopes = np.zeros(shape)
        for at in np.ndindex(*shape):

            def bump(other, value, sign):
                if other != name:
                    return value
                moved = np.array(value, dtype=float)
                moved[at] += sign * STEP
                return moved

            slopes[at] = (self.cost(lambda n, v: bump(n, v, 1)) - self.cost(lambda n, v: bump(n, v, -1))) / (2 * STEP)
        return slopes

    def check_parts_of_loss(self):
        """What is printed beside delta: smoothed targets, weights, and the parts of focal losses."""
        share, gamma, yhat = self.real("label-smoothing"), self.real("focal-gamma"), self.first["Yhat"]
        y = (1 - share) * self.y + share / (self.y.shape[1] if self.y.shape[1] > 1 else 2)
        wanted = {"Y'": y} if share else {}
        y = np.tile(y, (self.members, 1))
        if self.o.get("class-weight", "none") != "none":
            wanted["w"] = self.weights()[:, None]
        if gamma and self.o["loss"] == "cross-entropy":
            # f = (1 - p)^gamma -log p: -p df/dp
            of = lambda p: (1 - p) ** gamma * -np.log(p)
            wanted["T"] = -y * yhat * (of(yhat + STEP) - of(yhat - STEP)) / (2 * STEP)
            wanted["R"] = wanted["T"].sum(axis=1, keepdims=True)
        elif gamma:
            wanted["Q"] = y * (1 - yhat) + (1 - y) * yhat
            wanted["L"] = -y * np.log(yhat) - (1 - y) * np.log(1 - yhat)
        found = [name for name in ("Y'", "w", "T", "R", "Q", "L") if name in self.first]
        if found != [name for name in ("Y'", "w", "T", "R", "Q", "L") if name in wanted]:
            raise SystemExit(f"{self.what}: printed {found}, not {list(wanted)}")
        for name, value in wanted.items():
            self.check(name, self.first[name], value, 1e-5)

    def check_answer(self):
        """The mean over the members, which has no name of its own."""
        found = [matrix for left, op, _, matrix in self.printed if left == "mean" and not op and "mean of Yhat" in self.text]
        if len(found) != (self.members > 1):
            raise SystemExit(f"{self.what}: {len(found)} answers")
        for matrix in found:
            self.check("answer", matrix, np.mean(np.split(self.first["Yhat"], self.members), axis=0))

    def check_passes(self):
        self.check_parts_of_loss()
        self.check_answer()
        self.check("X", self.first["X"], self.x)
        values = self.forward(lambda name, value: value)
        for name, value in values.items():
            self.check(name, self.first[name], value)
        found = float(re.search(r"^  C = (\S+)", self.text, re.M)[1])
        self.check("C", np.array([found]), self.cost())
        derivatives = 0
        for name, op, _, matrix in self.printed:
            by = name[4:] if name.startswith("dC/d") else name.replace("delta", "Z") if "delta" in name else None
            if op != "<-" and by is not None:
                shared = "members" not in self.o or self.apart == 1 and by in ("Xs", "S")  # else of the member's own cost
                self.check(name, matrix, self.slope(by, matrix.shape) * (1 if shared else self.members), 1e-5)
                derivatives += 1
            d = name[1:]
            if op == "=" and re.fullmatch(r"G\d", name):
                self.check(name, matrix, self.first[f"delta{d}"] * self.first[f"gain{d}"])
            if op == "=" and re.fullmatch(r"[pq]\d", name):
                axis = 0 if self.o["norm"] == "batch" else 1
                terms = self.first[f"G{d}"] * (self.first[f"Uhat{d}"] if name[0] == "q" else 1)
                self.check(name, matrix, terms.mean(axis=axis, keepdims=True))
        for name in self.first:
            if re.fullmatch(LEARNED, name) and (name != "S" or "Xs" in self.first):
                if f"dC/d{name}" not in self.first:
                    raise SystemExit(f"{self.what}: no gradient of {name}")
        if derivatives < 9:
            raise SystemExit(f"{self.what}: {derivatives} derivatives")

    # ---- From step to step ----------------------------------------------------------------------------

    def table(self):
        """[(step, eta, C, C of the average)] without the start; None where there is no such column."""
        rows = self.text.split("5. Step after step")[1].splitlines()
        schedule, average = ("eta" in rows[2]), ("avg" in rows[2])
        made = []
        for row in (line.split() for line in rows[3:] if line.strip()):
            row = [None if cell == "-" else float(cell) for cell in row]
            made.append((row[0], row[1] if schedule else None, row[1 + schedule], row[2 + schedule] if average else None))
        return made

    def rate(self, t):
        """Learning rate of step t, from 1."""
        lr, low, name = self.real("lr", 0.1), self.real("lr-min"), self.o.get("schedule", "constant")
        warmup, all = self.real("warmup-epochs"), max(self.real("steps", 1), self.real("show-step", 1))
        if t <= warmup:
            return lr * t / warmup
        s, total, every = t - 1 - warmup, all - warmup, self.real("lr-step-epochs", 10)
        at, rise, flat, gamma = s / total, self.real("lr-rise", 0.3), self.real("lr-flat", 0.5), self.real("lr-gamma", 0.1)
        half = lambda a, b, u: b + (a - b) * (1 + np.cos(np.pi * u)) / 2
        if name == "plateau":
            best, since, factor = np.inf, 0, 1
            for cost in [row[2] for row in self.table()][: t - 1]:
                best, since = (cost, 0) if cost < best - 0 else (best, since + 1)
                if since == self.real("lr-patience", 10):
                    factor, since = factor * gamma, 0
            return max(lr * factor, low)
        if name == "cosine-restarts":
            begin, length = 0, every
            while s >= begin + length:
                begin, length = begin + length, length * self.real("lr-restart-factor", 1)
            return half(lr, low, (s - begin) / length)
        return {
            "constant": lambda: lr,
            "step": lambda: lr * gamma ** (s // every),
            "exponential": lambda: lr * gamma ** (s / every),
            "polynomial": lambda: low + (lr - low) * (1 - at) ** self.real("lr-power", 1),
            "cosine": lambda: half(lr, low, at),
            "flat-cosine": lambda: lr if at < flat else half(lr, low, (at - flat) / (1 - flat)),
            "one-cycle": lambda: half(lr / 25, lr, at / rise) if at < rise else half(lr, low, (at - rise) / (1 - rise)),
            "invscaling": lambda: lr / (1 + len(self.x) * s) ** self.real("power-t", 0.5),
            "coslog4": lambda: low + (lr - low) * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * at))) / 2,
        }[name]()

    def average(self, name, w):
        """The average of a tensor after the step, which made it w."""
        t, start = int(self.o.get("show-step", 1)), int(self.o.get("swa-start", 0))
        held = self.first.get(f"avg({name})", self.first[name])
        if start:
            return w if t == start else held + (w - held) / (t - start + 1)
        return held + (1 - min(self.real("ema"), (1 + t) / (10 + t))) * (w - held)

    def check_table(self):
        rows = self.table()
        rates = [row[1] for row in rows[1:]]
        if rates[0] is not None:
            self.check("eta", np.array(rates), np.array([self.rate(t + 1) for t in range(len(rates))]), 1e-8)
            if self.o["schedule"] != "constant" and len(set(rates)) < 3:
                raise SystemExit(f"{self.what}: the rate hardly changes: {rates}")
        means = {left[4:-1]: matrix for left, op, _, matrix in self.printed if left[:4] == "avg(" and op == "<-"}
        found = rows[int(self.o.get("show-step", 1))][3]
        if (found is None) != (not means):
            raise SystemExit(f"{self.what}: averages of {list(means)}, and {found} in the table")
        if means:
            self.check("C of the average", np.array([found]), self.cost(lambda name, value: means.get(name, value)))
        return len(means)

    # ---- The step, as the papers define it ------------------------------------------------------------

    def new(self, name, w, g):
        """New values of tensor w with gradient g, and what is printed on the way."""
        kind, decays = self.o.get("optimizer", "sgd"), name[0] == "W" or name in ("f", "p", "be")
        lr = self.rate(int(self.o.get("show-step", 1)))
        mu, b1, b2, e = self.real("momentum", 0.9), self.real("beta1", 0.9), self.real("beta2", 0.95), 1e-8
        lam = self.real("weight-decay") if decays else 0
        rate = self.real("input-scale", 1) if name == "S" or name == "Sk" and "members" in self.o else 1
        rate *= 0.1 if "f" in self.first and name in ("f", "p", "We", "be") else 1
        lr *= rate
        how = self.o.get("decay", "auto")
        if how == "auto":
            how = {"adamw": "decoupled", "lion": "decoupled", "lamb": "direction"}.get(kind, "coupled")
        keep = 1 - lr * lam if how == "decoupled" else 1
        coupled = g + lam * w if how == "coupled" else g
        t = int(self.o.get("show-step", 1))
        m, v, q = (self.first.get(f"{letter}({name})", 0) for letter in "MVQ")  # held before the step
        seen = {f"g({name})": coupled}
        norm = np.linalg.norm
        if kind == "lars":
            held = norm(g) + (lam * norm(w) if how == "coupled" else 0)
            ratio = self.real("trust-coefficient", 1e-3) * norm(w) / held / rate if decays else 1
            seen["V"] = mu * v + coupled * ratio
            step = seen["V"]
        elif kind in ("momentum", "nesterov"):
            seen["V"] = mu * v + coupled
            step = seen["V"] if kind == "momentum" else coupled + mu * seen["V"]
        elif kind in ("adam", "adamw", "lamb"):
            seen["M"], seen["V"] = b1 * m + (1 - b1) * coupled, b2 * v + (1 - b2) * coupled**2
            seen["Mhat"], seen["Vhat"] = seen["M"] / (1 - b1**t), seen["V"] / (1 - b2**t)
            step = seen["Mhat"] / (np.sqrt(seen["Vhat"]) + e)
            if kind == "lamb":
                step = seen["D"] = step + (lam * w if how == "direction" else 0)
                step = step * norm(w) / norm(step) / rate if decays else step
        elif kind == "adamax":
            seen["M"], seen["V"] = b1 * m + (1 - b1) * coupled, np.maximum(b2 * v, np.abs(coupled) + e)
            seen["Mhat"] = seen["M"] / (1 - b1**t)
            step = seen["Mhat"] / seen["V"]
        elif kind in ("rmsprop", "adagrad"):
            seen["Q"] = b2 * q + (1 - b2) * coupled**2 if kind == "rmsprop" else q + coupled**2
            step = coupled / (np.sqrt(seen["Q"]) + e)
        elif kind == "lion":
            seen["K"], seen["M"] = b1 * m + (1 - b1) * coupled, b2 * m + (1 - b2) * coupled
            step = np.sign(seen["K"])
        else:
            step = coupled
        seen[name] = keep * w - lr * step
        return seen

    def check_update(self):
        updated = set()
        parts = self.printed
        start = max(i for i, part in enumerate(parts) if part[0].startswith("dC/d")) + 1
        waiting, made = [], {}
        for left, op, right, matrix in parts[start:]:
            if not op:  # held before the step
                continue
            if left.startswith("avg("):
                tensor = left[4:-1]
                self.check(left, matrix, self.average(tensor, made[tensor]))
                continue
            tensor = left in self.first and op == "<-" and "(" not in left
            if not tensor:
                waiting.append((left, matrix))
                continue
            if left[:4] in ("mean", "vari"):
                u = self.first[f"U{left[-1]}"]
                of_step = u.mean(axis=0) if left[:4] == "mean" else u.var(axis=0, ddof=1)
                self.check(left, matrix, 0.9 * self.first[left] + 0.1 * of_step)
                continue
            seen = self.new(left, self.first[left], self.first[f"dC/d{left}"])
            for name, printed in waiting + [(left, matrix)]:
                key = name if name in seen else name.split("(")[0]
                # Where a gradient is next to 0, a division by the root of its square amplifies the rounding of both,
                # and of the 9 decimals.
                squares = seen["V"]**2 if self.o.get("optimizer") == "adamax" else seen.get("Vhat", seen.get("Q"))
                divided = key in (left, "D") and squares is not None
                sure = np.sqrt(squares) > 1e-3 if divided else True
                self.sure += np.sum(sure) if divided else 0
                self.check(f"{left}: {name}", printed, seen[key], 3e-4 if divided else 2e-6, sure)
            if len(waiting) != len(seen) - 1 - (f"g({left})" not in dict(waiting)):
                raise SystemExit(f"{self.what}: {left}: printed {[name for name, _ in waiting]}, not {list(seen)}")
            waiting = []
            updated.add(left)
            made[left] = matrix
        wanted = {name[4:] for name in self.first if re.fullmatch(f"dC/d({LEARNED})", name)}
        if self.o.get("optimizer") in ("adam", "adamw", "adamax", "lamb", "rmsprop", "adagrad") and self.sure < 10:
            raise SystemExit(f"{self.what}: {self.sure} new values are compared")
        if updated != wanted:
            raise SystemExit(f"{self.what}: new values of {sorted(updated)}, not of {sorted(wanted)}")


LAYERS = [
    "",
    "norm layer",
    "norm batch",
    "dropout 0.4,0.2 input-dropout 0.3",
    f"categories {CATEGORIES} input-noise 0.2 input-scale 6",
    "norm layer dropout 0.3 input-noise 0.5 input-dropout 0.2 input-scale 2",
    "norm batch dropout 0.3 input-scale 2 seed 5",
    "embed-numbers periodic",
    "ensemble 3",
    f"categories {CATEGORIES} embed-above 3 embed-width 1 members 2 dropout 0.3 input-scale 2",
    "ensemble 2 norm batch input-scale 2 dropout 0.2 input-dropout 0.2",
    "members 2 embed-numbers piecewise embed-width 1 input-dropout 0.3",
    f"categories {CATEGORIES} embed-above 3 input-noise 0.2 ensemble 2 norm layer embed-numbers piecewise",
    "embed-numbers piecewise embed-bins 3",
    "embed-numbers periodic input-noise 0.5 input-dropout 0.2 input-scale 3 norm layer lr 0.01",
    "embed-numbers piecewise embed-bins 5 embed-width 1 input-scale 3 input-noise 0.1 norm batch",
    f"categories {CATEGORIES} embed-above 0 embed-numbers periodic input-noise 0.2 norm batch",
    "norm rms input-scale 2",
]
LOSSES = [
    (ONE_HOT, "loss cross-entropy"),
    (ONE_HOT, "loss cross-entropy label-smoothing 0.1 class-weight 1,2,0.5"),
    (ONE_HOT, "loss cross-entropy focal-gamma 2 class-weight balanced"),
    (ONE_HOT, "loss cross-entropy focal-gamma 1.5 label-smoothing 0.2"),
    (BINARY, "loss binary-cross-entropy label-smoothing 0.1 class-weight balanced"),
    (BINARY, "loss binary-cross-entropy focal-gamma 2 label-smoothing 0.1"),
    (BINARY, "loss binary-cross-entropy focal-gamma 0.5 class-weight 1,3"),
    (VALUES, "loss quantile quantiles 0.1,0.5,0.9"),
    (VALUES, "loss gaussian"),
    (COUNTS, "loss poisson"),
    (VALUES, "loss huber"),
    (VALUES, "loss mae"),
    (ONE_HOT, "loss mse-mean class-weight 1,2,3"),
    (VALUES, "loss mse"),
    (VALUES, "loss log-cosh"),
]
OPTIMIZERS = [
    "optimizer sgd",
    "optimizer sgd weight-decay 0.1 decay decoupled",
    "optimizer momentum weight-decay 0.1",
    "optimizer nesterov momentum 0.8",
    "optimizer adam weight-decay 0.1 beta1 0.8",
    "optimizer adamw weight-decay 0.1",
    "optimizer rmsprop",
    "optimizer adagrad weight-decay 0.2",
    "optimizer lion weight-decay 0.1 beta2 0.99",
    "optimizer lars weight-decay 0.1 trust-coefficient 0.01",
    "optimizer lars",
    "optimizer lamb weight-decay 0.1",
    "optimizer lamb weight-decay 0.1 decay coupled",
    "optimizer adamax weight-decay 0.1",
]


COURSES = [
    "schedule cosine lr-min 0.02 warmup-epochs 2 ema 0.95",
    "schedule step lr-gamma 0.5 lr-step-epochs 3 swa-start 2",
    "schedule exponential lr-gamma 0.5 lr-step-epochs 4 swa-start 3",
    "schedule polynomial lr-power 2 lr-min 0.01",
    "schedule cosine-restarts lr-step-epochs 2 lr-restart-factor 2 ema 0.1",
    "schedule flat-cosine lr-flat 0.4 swa-start 4",
    "schedule one-cycle lr-rise 0.5 ema 0.5",
    "schedule coslog4",
    "schedule invscaling power-t 0.7 warmup-epochs 1",
    "schedule constant warmup-epochs 4 ema 0.99",
    "schedule plateau lr-patience 2 lr-gamma 0.5 lr-min 0.3 lr 8 loss huber",
]


def check_courses(program):
    """Schedules and averages, step by step."""
    averages = 0
    for i, course in enumerate(COURSES):
        options = f"{course} {['', 'norm layer'][i % 2]} steps 9 optimizer {['sgd', 'momentum'][i // 2 % 2]}".split()
        made = check_order(program, VALUES, options) if i < 3 else Lesson(program, VALUES, options + ["show-step", "3"])
        made.check_update()
        averages += made.check_table()
    if averages < 30:
        raise SystemExit(f"{averages} averages")


def check_order(program, targets, options):
    """What a step leaves is what the next one finds."""
    second = Lesson(program, targets, options + ["show-step", "2"])
    third = Lesson(program, targets, options + ["show-step", "3"])
    found = 0
    for left, op, _, matrix in second.printed:
        if op == "<-":
            third.check(f"{left} of step 2", third.first[left], matrix)
            found += 1
    if found < 6:
        raise SystemExit(f"{second.what}: {found} new values")
    return third


def main():
    program = sys.argv[1]
    for i in range(max(len(LAYERS), len(LOSSES), len(OPTIMIZERS))):
        targets, loss = LOSSES[i % len(LOSSES)]
        options = f"{LAYERS[i % len(LAYERS)]} {loss} {OPTIMIZERS[i % len(OPTIMIZERS)]}".split()
        if i > 1:
            check_order(program, targets, options)
            options += ["show-step", "3"]
        made = Lesson(program, targets, options)
        made.check_passes()
        made.check_update()
    for targets, focal in (ONE_HOT, "ensemble 2 loss cross-entropy"), (BINARY, "members 3 loss binary-cross-entropy"):
        made = Lesson(program, targets, f"{focal} focal-gamma 2 class-weight balanced label-smoothing 0.1".split())
        made.check_passes()
        made.check_update()
    check_courses(program)


main()
