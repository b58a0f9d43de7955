"""What the rows of a study amount to: medians of each split, its single runs, speed-up, efficiency, outliers."""
import collections
import csv
import os
import statistics

PARTS = ("compute", "input", "imbalance", "latency", "bandwidth", "sum")  # of a step, in the order they are drawn
TITLES = {"compute": "computing", "input": "gathering rows", "imbalance": "waiting for others", "latency": "sum: latency",
          "bandwidth": "sum: bandwidth", "sum": "sum over ranks"}
# A run is an outlier where it is so far from the median of its split, and 3 deviations (by the median distance) as well.
APART = 0.05

# cluster: of a simulation, else empty.
Split = collections.namedtuple("Split", "mode ranks threads cluster")


def cores(split):
    return split.ranks * split.threads


def label(split):
    return f"{split.ranks} x {split.threads}"


def order(split):
    return (split.mode, [int(n) if n.isdigit() else n for n in split.cluster.split()], cores(split), split.ranks)


def study_of(split):
    return f"{split.mode} {split.cluster}".strip()


def split_of(row):
    return Split(row["mode"], int(row["ranks"]), int(row["threads"]), row.get("cluster") or "")


def read_csv(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---- Measured --------------------------------------------------------------------------------------

def outliers(speeds):
    """Places of the runs that are far from the median."""
    middle = statistics.median(speeds)
    distance = statistics.median(abs(s - middle) for s in speeds)
    return [i for i, s in enumerate(speeds) if abs(s - middle) > max(APART * middle, 3 * 1.4826 * distance)]


def summary(rows):
    """Of one split: medians, and samples/s of each run. Seconds are of a step."""
    def middle(name):
        return statistics.median(float(r[name]) / float(r["steps"]) for r in rows)
    step, ranks = middle("seconds"), int(rows[0]["ranks"])
    # Whoever computes longest waits least: the least time in the sum is the sum itself.
    parts = {"compute": middle("compute_mean"), "input": middle("data_mean"), "sum": middle("reduce_min") if ranks > 1 else 0.0}
    parts["imbalance"] = max(0.0, step - sum(parts.values()))
    if ranks == 1:  # nobody to wait for: what is between the phases
        parts["compute"], parts["imbalance"] = parts["compute"] + parts["imbalance"], 0.0
    speeds = [float(r["samples_per_second"]) for r in rows]
    return {"runs": len(rows), "batch": int(rows[0]["batch"]), "lanes": int(rows[0]["lanes"]), "step": step,
            "quickest": min(float(r["seconds"]) / float(r["steps"]) for r in rows), "parts": parts,
            "slowest_rank": middle("compute_max"), "speeds": speeds, "samples_per_second": statistics.median(speeds),
            "apart": [(int(rows[i]["repeat"]), speeds[i]) for i in outliers(speeds)], "digest": rows[0]["digest"],
            "memory_mb": rows[0]["memory_mb"], "command": rows[0]["command"], "hosts": rows[0]["hosts"],
            "bindings": rows[0]["bindings"]}


def measured(rows):
    groups = collections.defaultdict(list)
    for r in rows:
        groups[split_of(r)].append(r)
    return {split: summary(groups[split]) for split in sorted(groups, key=order)}


# ---- Predicted -------------------------------------------------------------------------------------

def wire_of(row):
    """Of doctor: seconds of a message and bytes a second, as text; empty where there are no ranks to talk to."""
    if row["ranks"] == "1":
        return ""
    latency, bandwidth = (float(row.get(f"wire_{name}") or 0) for name in ("latency", "bandwidth"))
    return ", ".join([f"{1e6 * latency:.3g} us"] * (latency > 0) + [f"{1e-9 * bandwidth:.3g} GB/s"] * (bandwidth > 0))


def predicted(rows):
    found = {}
    for r in rows:
        parts = {name: float(r[name]) for name in ("compute", "input", "imbalance", "latency", "bandwidth")}
        found[split_of(r)] = {"batch": int(r["batch"]), "step": float(r["step"]), "parts": parts, "lanes": int(r["lanes"]),
                              "samples_per_second": float(r["samples_per_second"]), "wire": wire_of(r), "apart": []}
    return {split: found[split] for split in sorted(found, key=order)}


# ---- Compared with the base ------------------------------------------------------------------------

def base_of(figures, split):
    """What speed-up and efficiency refer to: the split with the fewest cores, threads and ranks alike (1 x 1 where it was
    run), of the same mode, on the same simulated cluster."""
    return min((s for s in figures if (s.mode, s.cluster) == (split.mode, split.cluster)), key=order)


def core_speed(figures, split):
    """Samples/s of a core of the base."""
    base = base_of(figures, split)
    return figures[base]["samples_per_second"] / cores(base)


def speed_up(figures, split, speed=None):
    return (figures[split]["samples_per_second"] if speed is None else speed) / core_speed(figures, split)


def efficiency(figures, split, speed=None):
    return speed_up(figures, split, speed) / cores(split)


def is_strong(figures, split):
    """Does the split share the base's batch among more cores? In a weak study one rank with more threads does."""
    return figures[split]["batch"] == figures[base_of(figures, split)]["batch"]
