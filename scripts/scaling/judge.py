"""Sentences: what costs a split most against the base, and what to change."""
from .figures import TITLES, base_of, cores, efficiency, label, study_of

GOOD = 0.95  # efficiency from which there is nothing to advise
FEW_ROWS = 64  # of a step for a core: fewer make products too small


def milliseconds(seconds):
    return f"{1e3 * seconds:.4g}"


def lost(figure, split, base_figure, base):
    """Seconds of a step beyond those of a perfect division of the base's work, by part."""
    share = figure["batch"] / base_figure["batch"] * cores(base) / cores(split)
    parts = dict(figure["parts"])
    for name in ("compute", "input"):
        parts[name] = max(0.0, parts[name] - share * base_figure["parts"][name])
    return parts


def larger_batch(figure):
    """The batch whose work is nine times as long as the sum, which takes the same time with any batch; 0 where it is met."""
    communication = sum(figure["parts"].get(n, 0) for n in ("latency", "bandwidth", "sum"))
    work = figure["parts"]["compute"] + figure["parts"]["input"]
    larger = 9 * communication / work * figure["batch"] if work > 0 else 0
    return larger if larger > figure["batch"] else 0


def against_the_sum(figure, split, more):
    share, of = (split.ranks, " a rank") if split.mode == "weak" else (1, "")
    larger = float(f"{larger_batch(figure) / share:.2g}")
    ways = [f"a batch of about {larger:.0f}{of} would make the sum a tenth of the step"] if larger else []
    return "; ".join([*ways, "fewer ranks with more threads each send less", *more])


def advice(part, figure, split):
    rows, lanes = figure["batch"] / cores(split), -(-figure["lanes"] // split.ranks) * split.ranks
    if part == "compute" and rows < FEW_ROWS:
        return (f"a core has {rows:.3g} rows of a batch, too few for fast products: a batch of {FEW_ROWS * cores(split)} or more, or "
                "fewer cores")
    if part == "compute":
        return ("cores compute more slowly together than one alone, for they share caches, memory and power: the lines peak and "
                "memory of mlpdist doctor, one thread beside all, say how much the machine allows")
    if part == "input":
        return "cores that gather rows at once share the memory: store the inputs as bytes or float32, whatever loses no digit"
    if part == "imbalance" and figure["lanes"] % split.ranks:
        return f"{figure['lanes']} lanes do not divide by {split.ranks} ranks: --lanes {lanes}"
    if part == "imbalance":
        slowest = f" (the slowest rank computes {milliseconds(figure['slowest_rank'])} ms, the mean one " \
                  f"{milliseconds(figure['parts']['compute'])})" if "slowest_rank" in figure else ""
        return f"ranks wait for the slowest{slowest}: look for other programs on its cores, a slower host, or ranks bound to the same core"
    more = {"latency": ["messages are many or slow: a network with lower latency"],
            "bandwidth": ["the wire is full: a faster network"],
            "sum": [] if split.cluster else ["--predict tells latency from bandwidth"]}[part]
    return against_the_sum(figure, split, more)


def costs(figures, split):
    """The part that costs the split most against the base, and its share of the step."""
    parts = lost(figures[split], split, figures[base_of(figures, split)], base_of(figures, split))
    part = max(parts, key=parts.get)
    return part, parts[part] / figures[split]["step"]


def span(values, form):
    """The least and the most of some figures, as text; one figure where they are the same."""
    return " to ".join(dict.fromkeys(form.format(v) for v in (min(values), max(values))))


def judgement(figures, splits, part):
    """Of splits of one study that lose most to the same part. The advice is for the least efficient of them."""
    worst = min(splits, key=lambda s: efficiency(figures, s))
    head = (f"{study_of(worst)} {', '.join(label(s) for s in splits)}: efficiency "
            f"{span([efficiency(figures, s) for s in splits], '{:.2f}')}")
    shares = [100 * costs(figures, s)[1] for s in splits]
    if max(shares) <= 0:
        return f"{head}; the parts of a step do not say what is lost"
    words = advice(part, figures[worst], worst)
    place = f" (for {label(worst)})" if len(splits) > 1 and any(c.isdigit() for c in words) else ""
    return f"{head}; lost most to {TITLES[part]}, {span(shares, '{:.0f}')} % of the step: {words}{place}"


def judgements(figures):
    """A line for all splits of a study of which the same is to be said; last those of which nothing is."""
    groups, fine = {}, {}
    for s in figures:
        if s == base_of(figures, s):
            continue
        if round(efficiency(figures, s), 2) >= GOOD:
            fine.setdefault(study_of(s), []).append(s)
        else:
            part = costs(figures, s)[0]
            own = s if part == "imbalance" and figures[s]["lanes"] % s.ranks else None  # its cure is its own
            groups.setdefault((study_of(s), part, own), []).append(s)
    lines = [judgement(figures, splits, part) for (_, part, _), splits in groups.items()]
    return lines + [f"{study} {', '.join(label(s) for s in some)}: efficiency {span([efficiency(figures, s) for s in some], '{:.2f}')}; "
                    "little to gain" for study, some in fine.items()]


def notes(runs):
    """Runs that are far from the others of their split."""
    lines = []
    for s, f in runs.items():
        for repeat, speed in f["apart"]:
            lines.append(f"run {repeat} of {study_of(s)} {label(s)} is apart from the others: {speed:.0f} samples/s, "
                         f"{100 * speed / f['samples_per_second'] - 100:+.0f} % against the median {f['samples_per_second']:.0f}")
        if f["runs"] < 3:
            continue
        spread = (max(f["speeds"]) - min(f["speeds"])) / f["samples_per_second"]
        if spread > 0.1 and not f["apart"]:
            lines.append(f"the runs of {study_of(s)} {label(s)} differ by {100 * spread:.0f} %: more of them (--repeat), or a quieter machine")
    return lines
