"""The model: what `mlpdist doctor` predicts for the splits of a study."""
import json
import os
import shlex

from .options import batch_of, lanes_of, value_of
from .place import die, say, start
from .table import write_rows

PREDICTED = ("ranks lanes most_lanes step compute input imbalance latency bandwidth samples_per_second wire_known").split()
FOR_DOCTOR = ("x y hidden activation optimizer backend").split()
MOST_PREDICTIONS = 12  # of one call of doctor, besides those it makes unasked


def call_doctor(a, mlpdist, place, mode, threads, ranks_list):
    """doctor's reports on these numbers of ranks, on as many ranks as the study has at most: there it measures the wire."""
    measured = [r for r, t in a.splits if t == threads]
    reports = []
    groups = [[r] for r in ranks_list] if mode == "weak" else \
        [ranks_list[i:i + MOST_PREDICTIONS] for i in range(0, len(ranks_list), MOST_PREDICTIONS)]
    for group in groups:
        ranks = group[0] if mode == "weak" and group[0] in measured else max(measured or [1])
        batch = batch_of(a, mode, group[0])
        words = [*place.mpirun(ranks, threads), mlpdist, "doctor", "--json", "--data", a.data, "--threads", str(threads),
                 "--batch", str(batch), "--lanes", str(lanes_of(a, mode, group[0])), "--np", ",".join(map(str, group)),
                 "--seconds", str(a.doctor_seconds)]
        for name in FOR_DOCTOR:
            value = value_of(a.train, name)
            # train's default network is not doctor's.
            value = "64" if name == "hidden" and value is None else value
            words += [] if value is None else [f"--{name}", value]
        say(f"doctor: {mode}, {threads} threads, ranks {','.join(map(str, group))}")
        output = start(words, a.doctor_seconds * 10 + 120, a.out)
        reports.append((" ".join(map(shlex.quote, words)), json.loads(output[output.index("\n{") + 1:])))
    return reports


def read_doctor(path):
    try:
        with open(path, encoding="utf-8") as file:
            return path, json.load(file)
    except (OSError, ValueError) as error:
        die(f"{path}: {error}", 2)


def warn_of_load(source, report):
    """Predictions of a machine on which others compute are of that machine."""
    share = report["machine"].get("cpu_share")
    if share is not None and share < 0.9:
        say(f"note: while doctor measured, its threads got {100 * share:.0f} % of their cores' time ({source})")


def predict(a, mlpdist, place, rows):
    """A row for each split that doctor was asked for; a report of another batch, lanes or network is left aside."""
    network = rows[0]["network"]
    found = {}
    files = [read_doctor(path) for path in a.doctor or []]
    for mode in a.modes:
        for threads in dict.fromkeys(t for _, t in a.splits + a.predict_splits):
            asked_for = sorted({r for r, t in a.splits + a.predict_splits if t == threads})
            reports = files or call_doctor(a, mlpdist, place, mode, threads, asked_for)
            for source, report in reports:
                warn_of_load(source, report)
                if report["network"]["widths"] != network:
                    die(f"{source}: predicts {report['network']['widths']}, not {network}", 2)
                for p in report["predictions"]:
                    fits = p["ranks"] in asked_for and report["machine"]["threads"] == threads and \
                        report["network"]["batch"] == batch_of(a, mode, p["ranks"]) and \
                        p["lanes"] == max(lanes_of(a, mode, p["ranks"]), p["ranks"])
                    if fits:
                        found[mode, p["ranks"], threads] = {
                            "mode": mode, "threads": threads, "batch": report["network"]["batch"],
                            **{name: p[name] for name in PREDICTED}, "source": source}
    lacking = [f"{m} {r}x{t}" for m in a.modes for r, t in a.splits + a.predict_splits if (m, r, t) not in found]
    if lacking:
        say(f"no prediction for {', '.join(lacking)}")
    write_rows(os.path.join(a.out, "predictions.csv"), ["mode", "threads", "batch", *PREDICTED, "source"],
               [found[key] for key in sorted(found)])
