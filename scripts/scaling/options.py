"""The options of a study, and what follows from them for a run."""
import argparse
import os
import re

from lib import options_of

# Options of train that the study gives itself.
OURS = ("data batch lanes threads epochs out config resume checkpoint-every patience quiet print-config help").split()


def splits(text):
    found = re.findall(r"(?:^|,)([1-9]\d*)x([1-9]\d*)(?=,|$)", text)
    if len(found) != text.count(",") + 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of RANKSxTHREADS such as 1x2,2x1")
    return list(dict.fromkeys((int(r), int(t)) for r, t in found))


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("from 1 on")
    return value


def parse(argv, description):
    p = options_of(description)
    p.add_argument("--data", required=True, metavar="FILE", help="HDF5 data set, as of mlpdist train")
    p.add_argument("--splits", required=True, type=splits, metavar="LIST", help="ranks x threads of each split, such as 1x1,2x1,1x2")
    p.add_argument("--mode", choices=("strong", "weak", "both"), default="strong",
                   help="strong: the same batch for all splits; weak: as many samples for each rank; default strong")
    p.add_argument("--batch", type=positive, default=1024, metavar="N", help="strong scaling: samples of a step; default 1024")
    p.add_argument("--batch-per-rank", type=positive, default=256, metavar="N", help="weak scaling: samples of a step per rank; default 256")
    p.add_argument("--lanes", type=positive, metavar="N", help="strong: of all runs; default: batch / 64 as a power of two, "
                   "no fewer than the most ranks; weak has as many on each rank as --batch-per-rank asks for")
    p.add_argument("--epochs", type=positive, default=3, metavar="N", help="measured epochs of a run; default 3")
    p.add_argument("--warmup", type=positive, default=1, metavar="N", help="epochs before those, not measured; default 1")
    p.add_argument("--repeat", type=positive, default=5, metavar="N", help="runs of each split; default 5")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the order of runs; default 1")
    p.add_argument("--out", default="study", metavar="FOLDER", help="folder of the study; default study")
    p.add_argument("--hostfile", metavar="FILE", help="file of hosts for mpirun")
    p.add_argument("--per-node", type=positive, metavar="N", help="most ranks on a host; default: its cores / threads")
    p.add_argument("--oversubscribe", action="store_true", help="allow more ranks and threads than cores, not bound to cores: for trials")
    p.add_argument("--timeout", type=positive, default=3600, metavar="S", help="seconds a run may take; default 3600")
    p.add_argument("--predict", action="store_true", help="show the model's prediction beside the measurement")
    p.add_argument("--predict-splits", type=splits, default=[], metavar="LIST", help="splits to predict without running them")
    p.add_argument("--doctor", action="append", metavar="FILE", help="take predictions from what `mlpdist doctor --json` "
                   "printed, instead of running it; once a file")
    p.add_argument("--doctor-seconds", type=float, default=5, metavar="S", help="duration of a call of doctor; default 5")
    p.add_argument("--doctor-calls", type=positive, default=3, metavar="N", help="for each prediction; the quickest counts, "
                   "for other programs only make steps longer; default 3")
    p.add_argument("--install", action="store_true", help="install what is missing first (Debian, Ubuntu)")
    before, after = (argv[:argv.index("--")], argv[argv.index("--") + 1:]) if "--" in argv else (argv, [])
    a = p.parse_args(before)
    for word in after:
        name = word[2:].split("=")[0] if word.startswith("--") else ""
        if name in OURS:
            p.error(f"--{name} is not for train here: the study gives it (see --help)")
    a.train = after
    a.predict = a.predict or bool(a.predict_splits or a.doctor)
    a.data = os.path.abspath(a.data)
    a.modes = ("strong", "weak") if a.mode == "both" else (a.mode,)
    return a


def power_of_two(most):
    return 1 << (max(1, most).bit_length() - 1)


def lanes_of(a, mode, ranks):
    """Fixed where one digest is wanted. Weak: as many on each rank, so that its products keep their size."""
    if mode == "weak":
        return ranks * power_of_two(a.batch_per_rank // 64)
    most = max(r for r, _ in a.splits + a.predict_splits)
    if a.lanes is not None:
        return a.lanes
    return max(power_of_two(a.batch // 64), 1 << (most - 1).bit_length())


def batch_of(a, mode, ranks):
    return a.batch if mode == "strong" else a.batch_per_rank * ranks


def value_of(words, name):
    """The value of --name in options, None where it is not given."""
    for i, word in enumerate(words):
        if word == f"--{name}" and i + 1 < len(words):
            return words[i + 1]
        if word.startswith(f"--{name}="):
            return word.split("=", 1)[1]
    return None
