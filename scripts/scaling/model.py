"""The model: what `mlpdist doctor` predicts for the splits of a study, and what its like predicts for a simulation."""
import json
import math
import os
import shlex

from lib import die, say

from .cluster import OVERHEAD
from .options import batch_of, lanes_of, value_of
from .place import start
from .table import write_rows

PREDICTED = ("ranks lanes most_lanes step compute input imbalance latency bandwidth samples_per_second wire_known").split()
FOR_DOCTOR = ("x y hidden activation ensemble members optimizer backend").split()
COLUMNS = ["mode", "threads", "batch", *PREDICTED, "wire_latency", "wire_bandwidth", "source"]
SIMULATED_PREDICTED = ["cluster", *COLUMNS]
MOST_PREDICTIONS = 12  # of one call of doctor, besides those it makes unasked


def doctor_command(a, mlpdist, place, mode, threads, ranks, predicted):
    """Runs on `ranks`, so that the wire between these is measured, and predicts several numbers of ranks."""
    words = [*place.mpirun(ranks, threads), mlpdist, "doctor", "--json", "--data", a.data, "--threads", str(threads),
             "--batch", str(batch_of(a, mode, predicted[0])), "--lanes", str(lanes_of(a, mode, predicted[0])),
             "--np", ",".join(map(str, predicted)), "--seconds", str(a.doctor_seconds)]
    for name in FOR_DOCTOR:
        value = value_of(a.train, name)
        words += [] if value is None else [f"--{name}", value]
    return words


def commands(a, mlpdist, place):
    """A call for each split that is run; those that are not are predicted from the most ranks with as many threads."""
    for mode in a.modes:
        for threads in dict.fromkeys(t for _, t in a.splits + a.predict_splits):
            run = sorted(r for r, t in a.splits if t == threads)
            beyond = sorted({r for r, t in a.predict_splits if t == threads} - set(run))
            size = 1 if mode == "weak" else MOST_PREDICTIONS  # weak: each has a batch of its own
            calls = [(r, [r]) for r in run]
            calls += [(max(run or [1]), beyond[i:i + size]) for i in range(0, len(beyond), size)]
            for ranks, predicted in calls:
                yield doctor_command(a, mlpdist, place, mode, threads, ranks, predicted)


def call_doctor(a, mlpdist, place):
    """Its reports, each with the command; in rounds, so that a busy moment does not hit all calls of one kind."""
    wanted = list(commands(a, mlpdist, place))
    say(f"doctor: {len(wanted) * a.doctor_calls} calls of {a.doctor_seconds:g} s")
    for _ in range(a.doctor_calls):
        for words in wanted:
            output = start(words, a.doctor_seconds * 10 + 120, a.out)
            yield " ".join(map(shlex.quote, words)), json.loads(output[output.index("\n{") + 1:])


def read_doctor(paths):
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                yield path, json.load(file)
        except (OSError, ValueError) as error:
            die(f"{path}: {error}", 2)


def warn_of_load(source, report):
    """Predictions of a machine on which others compute are of that machine."""
    share = report["machine"].get("cpu_share")
    if share is not None and share < 0.9:
        say(f"note: while doctor measured, its threads had {100 * share:.0f} % of their cores' time ({source})")


def take(a, found, source, report):
    """Keeps what the report says of the study's splits; of several predictions the quickest."""
    threads, batch, wire = report["machine"]["threads"], report["network"]["batch"], report.get("wire") or {}
    for p in report["predictions"]:
        for mode in a.modes:
            key, lanes = (mode, p["ranks"], threads), max(lanes_of(a, mode, p["ranks"]), p["ranks"])
            if key[1:] not in a.splits + a.predict_splits or (batch, p["lanes"]) != (batch_of(a, mode, p["ranks"]), lanes):
                continue
            if key not in found or p["step"] < found[key]["step"]:
                found[key] = {"mode": mode, "threads": threads, "batch": batch, **{name: p[name] for name in PREDICTED},
                              "wire_latency": wire.get("latency", ""), "wire_bandwidth": wire.get("bandwidth", ""),
                              "source": source}


def predict(a, mlpdist, place, rows):
    """predictions.csv: a row for each split; a report of another batch or other lanes is left aside."""
    network, found = rows[0]["network"], {}
    for source, report in read_doctor(a.doctor) if a.doctor else call_doctor(a, mlpdist, place):
        warn_of_load(source, report)
        if report["network"]["widths"] != network:
            die(f"{source}: predicts {report['network']['widths']}, not {network}", 2)
        take(a, found, source, report)
    every = [(m, r, t) for m in a.modes for r, t in a.splits + a.predict_splits]
    lacking = [f"{m} {r}x{t}" for m, r, t in every if (m, r, t) not in found]
    if lacking:
        say(f"no prediction for {', '.join(lacking)}")
    unknown = [f"{m} {r}x{t}" for m, r, t in found if not found[m, r, t]["wire_known"]]
    if unknown:
        say(f"note: no sum between ranks was measured; it counts as 0 s in {', '.join(unknown)}")
    write_rows(os.path.join(a.out, "predictions.csv"), COLUMNS, [found[key] for key in sorted(found)])


# ---- Simulations -----------------------------------------------------------------------------------

# Messages that must follow one another before a bucket is there, by the way of the sum.
ROUNDS = {"": lambda ranks: 0, "messages": lambda ranks: 2, "messages by halves": lambda ranks: 2 * math.ceil(math.log2(ranks) / 2)}


def last_byte(f, slower, byte):
    """Seconds after the forward pass at which the wire is done. f["layers"]: seconds of deltas, seconds of gradients and
    bytes, each computed `slower` times as slowly beside messages. A layer's buckets travel as they are computed, after
    the deltas of the layer below; the wire is free for them once those before have passed."""
    now, free = 0.0, 0.0
    for number in range(len(f["layers"]) - 1, -1, -1):
        gradients, size = f["layers"][number][1:]
        now += slower * (f["layers"][number - 1][0] if number > 0 else 0)
        buckets = max(1, round(size / sum(layer[2] for layer in f["layers"]) * f["buckets"]))
        first = now + slower * gradients / buckets
        now += slower * gradients
        each = size * byte
        free = max(max(free, first) + each, now + each / buckets)
    return free


def predict_simulated(ranks, batch, lanes, f):
    """A step on a simulated cluster. f: what pieces of work took on one rank, the sum's way, its buckets, messages of one
    and bytes of all, and the network's latency and bandwidth."""
    work = f["forward"] + f["backward"] + f["update"]
    step, latency, bandwidth = work, 0.0, 0.0
    if ranks > 1:
        posting = f["messages"] * f["buckets"] * OVERHEAD  # takes the processor's time, as sums and updates do
        rounds = ROUNDS[f["way"]](ranks) * f["latency"]
        slower = (f["backward"] + f["update"] + posting) / f["backward"]
        byte = f["bytes"] / f["bandwidth"] / sum(layer[2] for layer in f["layers"])
        step = f["forward"] + last_byte(f, slower, byte) + rounds
        latency = min(step - work, rounds + posting)
        bandwidth = step - work - latency
    return {"most_lanes": -(-lanes // ranks), "step": step, "compute": work, "input": 0.0, "imbalance": 0.0, "latency": latency,
            "bandwidth": bandwidth, "samples_per_second": batch / step, "wire_known": True, "wire_latency": f["latency"],
            "wire_bandwidth": f["bandwidth"], "source": "simulated_steps"}
