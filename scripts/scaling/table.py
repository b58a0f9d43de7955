"""runs.csv and predictions.csv: a row a run, a row a prediction."""
import csv
import os
import statistics

from lib import die, whole_file

PHASES = ("compute", "reduce", "data")
COLUMNS = ("mode ranks threads repeat started batch lanes network backend epochs steps nodes hosts bindings version "
           "samples_per_second seconds " + " ".join(f"{p}_{of}" for p in PHASES for of in ("min", "mean", "max")) +
           " efficiency digest memory_mb command").split()
SIMULATED = ["cluster", *COLUMNS]  # of scripts/simulate


def read_rows(folder):
    path = os.path.join(folder, "runs.csv")
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    if reader.fieldnames != COLUMNS:
        die(f"{path}: the columns are not those of this study", 2)
    return rows


def cores_of(row):
    return int(row["ranks"]) * int(row["threads"])


def fill_efficiency(rows):
    """Samples/s a core over those of the split with the fewest cores, of those with the fewest ranks: threads and ranks alike,
    in weak studies, too."""
    for mode in {row["mode"] for row in rows}:
        some = [row for row in rows if row["mode"] == mode]
        base = min((cores_of(row), int(row["ranks"])) for row in some)
        speed = statistics.median(float(r["samples_per_second"]) / cores_of(r) for r in some
                                  if (cores_of(r), int(r["ranks"])) == base)
        for row in some:
            row["efficiency"] = f"{float(row['samples_per_second']) / cores_of(row) / speed:.4f}"


def write_rows(path, columns, rows):
    with whole_file(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def check_digests(rows, loose, folder):
    """Stops the study where runs that were to give the same weights did not. loose: plain allreduce promises one digest
    for a number of ranks only."""
    seen = {}
    for row in rows:
        key = (row["mode"], int(row["ranks"]) if loose or row["mode"] == "weak" else 0)
        first = seen.setdefault(key, row)
        if row["digest"] != first["digest"]:
            die(f"the runs do not give the same weights, so their times do not compare:\n"
                f"  digest {first['digest']}: {first['command']}\n  digest {row['digest']}: {row['command']}\n"
                f"The second is not kept in {folder}/runs.csv. Were ranks on processors of different kinds? "
                "DNNL_MAX_CPU_ISA makes them alike (README, The same bits).")
