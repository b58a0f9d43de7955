"""The tables of a study, as text."""
from .figures import efficiency, label, speed_up, study_of
from .judge import milliseconds


def result_table(runs):
    head = ["study", "ranks x threads", "batch", "lanes", "runs", "samples/s", "speed-up", "efficiency", "least to most",
            "memory MB", "digest"]
    return head, [[study_of(s), label(s), str(f["batch"]), str(f["lanes"]), str(f["runs"]), f"{f['samples_per_second']:.0f}",
                   f"{speed_up(runs, s):.2f}", f"{efficiency(runs, s):.3f}",
                   f"{efficiency(runs, s, min(f['speeds'])):.3f} to {efficiency(runs, s, max(f['speeds'])):.3f}" if f["runs"] > 1 else "",
                   f["memory_mb"], f["digest"]] for s, f in runs.items()]


def step_table(runs, model):
    head = ["study", "ranks x threads", "ms a step", "computing", "gathering", "waiting", "sum"]
    head += ["predicted ms", "over median", "over quickest run"] * bool(model)
    table = []
    for s, f in runs.items():
        row = [study_of(s), label(s), milliseconds(f["step"]),
               *(milliseconds(f["parts"][p]) for p in ("compute", "input", "imbalance", "sum"))]
        if model:
            p = model.get(s)
            row += [milliseconds(p["step"]), f"{p['step'] / f['step']:.2f}", f"{p['step'] / f['quickest']:.2f}"] if p else [""] * 3
        table.append(row)
    return head, table


def model_table(model):
    head = ["study", "ranks x threads", "batch", "lanes", "samples/s", "efficiency", "ms a step", "computing", "gathering",
            "waiting", "latency", "bandwidth", "wire"]
    return head, [[study_of(s), label(s), str(f["batch"]), str(f["lanes"]), f"{f['samples_per_second']:.0f}",
                   f"{efficiency(model, s):.3f}", milliseconds(f["step"]),
                   *(milliseconds(f["parts"][p]) for p in ("compute", "input", "imbalance", "latency", "bandwidth")), f["wire"]]
                  for s, f in model.items()]
