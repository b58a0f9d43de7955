"""The figures of a study, with Matplotlib: speed-up and parallel efficiency side by side, and shares of a step."""
import collections
import io

import matplotlib

from .figures import PARTS, TITLES, cores, efficiency, is_strong, label, order, speed_up

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402  (after the choice of a back end without a display)
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: E402

FONT = 10  # points, of every word; figures are shown in their size
WIDTH = 11.6  # inches: 1114 pixels of a page
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "study", "pdf.fonttype": 42, "font.size": FONT,
                            "axes.titlesize": FONT, "axes.labelsize": FONT, "xtick.labelsize": FONT, "ytick.labelsize": FONT,
                            "legend.fontsize": FONT, "hatch.linewidth": 0.6})
COLORS = {"compute": "#3b6ea5", "input": "#8fb8de", "imbalance": "#d9a441", "latency": "#b5544d", "bandwidth": "#e39a94",
          "sum": "#cc7770"}
MARKERS = "osD^vP*X"
SIDE_BY_SIDE = 0.09  # of a doubling of cores, between splits with as many cores


# ---- Speed-up and efficiency -----------------------------------------------------------------------

def curves_of(figures, mode):
    """Splits that make one curve, by its name: as many threads a rank, or a simulated cluster."""
    groups = collections.defaultdict(list)
    for s in sorted(figures, key=lambda s: (s.threads, order(s))):
        if s.mode == mode:
            groups[s.cluster or f"{s.threads} thread{'s' * (s.threads > 1)} a rank"].append(s)
    return groups


def one_rank(figures, mode):
    """Splits of one rank with more and more threads: strong scaling, whatever the study."""
    return sorted((s for s in figures if s.mode == mode and s.ranks == 1 and not s.cluster), key=order)


def places_of(splits):
    """Where on the axis of cores each split is drawn: beside the others with as many cores."""
    groups = collections.defaultdict(list)
    for s in sorted(splits, key=order):
        groups[cores(s)].append(s)
    return {s: count * 2 ** (SIDE_BY_SIDE * (i - (len(some) - 1) / 2)) for count, some in groups.items() for i, s in enumerate(some)}


def draw_curves(axes, runs, model, mode, value):
    """The legend's lines. A small dot is a run, a large one the median, a ring around a dot a run apart from the others."""
    places, handles = places_of([s for s in {**runs, **model} if s.mode == mode]), []
    names = list(dict.fromkeys([*curves_of(runs, mode), *curves_of(model, mode)]))
    for i, name in enumerate(names):
        color, marker = f"C{i % 10}", MARKERS[i % len(MARKERS)]
        some = curves_of(runs, mode).get(name, [])
        if some:
            axes.plot([places[s] for s in some], [value(runs, s) for s in some], "-", color=color, linewidth=1.5, marker=marker,
                      markersize=6, markeredgecolor="white", zorder=4)
            handles.append(Line2D([], [], color=color, marker=marker, label=name if some[0].cluster else f"measured, {name}"))
        for s in some:
            apart = [speed for _, speed in runs[s]["apart"]]
            for speeds, style in ((runs[s]["speeds"] if runs[s]["runs"] > 1 else [], {"s": 9, "color": color, "alpha": 0.6}),
                                  (apart, {"s": 70, "facecolors": "none", "edgecolors": "#c00000"})):
                axes.scatter([places[s]] * len(speeds), [value(runs, s, speed) for speed in speeds], zorder=5, **style)
        some = curves_of(model, mode).get(name, [])
        if some:
            axes.plot([places[s] for s in some], [value(model, s) for s in some], "--", color=color, marker=marker, markersize=6,
                      markerfacecolor="none", linewidth=1, zorder=3)
            handles.append(Line2D([], [], color=color, linestyle="--", marker=marker, markerfacecolor="none", label=f"model, {name}"))
    some = one_rank(runs, mode)
    if len(some) > 1:
        axes.plot([places[s] for s in some], [value(runs, s) for s in some], "-.", color="0.35", linewidth=1, zorder=2)
        batch = f" (strong scaling, batch {runs[some[0]]['batch']})" if mode == "weak" and is_strong(runs, some[-1]) else ""
        handles.append(Line2D([], [], color="0.35", linestyle="-.", linewidth=1, label=f"one rank, more threads{batch}"))
    return handles


def cores_axis(axes, splits):
    counts = sorted({cores(s) for s in splits})
    if counts[-1] > 1:
        axes.set_xscale("log", base=2)
        axes.set_xlim(counts[0] / 1.25, counts[-1] * 1.25)
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))


def bare(axes, xlabel, ylabel):
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def legend_below(figure, handles, columns):
    """Below the axes, so that it covers nothing; the figure grows with it."""
    lines = -(-len(handles) // columns)
    low = (0.75 + 0.22 * lines) / figure.get_figheight()
    figure.subplots_adjust(left=0.075, right=0.985, bottom=low, top=1 - 0.15 / figure.get_figheight(), wspace=0.2)
    figure.legend(handles=handles, loc="lower center", ncol=columns, frameon=False)


def scaling(runs, model, mode):
    splits = [s for s in {**runs, **model} if s.mode == mode]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(WIDTH, 5.2))
    counts = sorted({cores(s) for s in splits})
    handles = draw_curves(left, runs, model, mode, speed_up)
    left.plot(counts, counts, ":", color="0.5")
    if counts[-1] > 1:
        left.set_yscale("log", base=2)
        left.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    bare(left, "cores", "speed-up")
    draw_curves(right, runs, model, mode, efficiency)
    right.axhline(1, linestyle=":", color="0.5")
    right.set_ylim(0, max(1.05, 1.03 * right.get_ylim()[1]))
    bare(right, "cores", "parallel efficiency")
    handles.append(Line2D([], [], color="0.5", linestyle=":", label="ideal"))
    if any(f["runs"] > 1 for s, f in runs.items() if s.mode == mode):
        handles.append(Line2D([], [], color="0.5", linestyle="", marker="o", markersize=3, label="a run"))
    if any(f["apart"] for s, f in runs.items() if s.mode == mode):
        handles.append(Line2D([], [], color="#c00000", linestyle="", marker="o", markersize=8, markerfacecolor="none",
                              label="a run apart from the others"))
    for axes in (left, right):
        cores_axis(axes, splits)
    legend_below(figure, handles, 3)
    return figure


# ---- Shares of a step ------------------------------------------------------------------------------

def shares(runs, model, mode, cluster):
    """A bar a split, and one below it for the model, of the shares of the measured step; with its milliseconds."""
    splits = [s for s in sorted({**runs, **model}, key=order) if s.mode == mode and s.cluster == cluster]
    both = bool(runs) and bool(model) and any(s in model for s in splits)
    figure, axes = pyplot.subplots(figsize=(WIDTH, 1.5 + (0.62 if both else 0.4) * len(splits)))
    drawn, longest = set(), 1.0
    for place, s in enumerate(splits):
        whole = (runs.get(s) or model[s])["step"]
        for figures, offset, hatch in ((runs, -0.2, None), (model, 0.2, "////")):
            if s not in figures:
                continue
            left = 0.0
            for part in PARTS:
                width = figures[s]["parts"].get(part, 0.0) / whole
                if width > 0:
                    axes.barh(place + offset * both, width, 0.36 if both else 0.6, left=left, color=COLORS[part], hatch=hatch,
                              edgecolor="white", linewidth=0.3)
                    drawn.add(part)
                    left += width
            longest = max(longest, left)
            axes.text(left + 0.008, place + offset * both, f"{1e3 * figures[s]['step']:.4g} ms", va="center")
    axes.set_yticks(range(len(splits)), [label(s) for s in splits])
    axes.set_ylim(len(splits) - 0.5, -0.5)
    axes.set_xlim(0, 1.12 * longest)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.0f} %"))
    bare(axes, "share of the measured step" if runs else "share of the step", "ranks x threads")
    axes.grid(axis="y", visible=False)
    handles = [Patch(color=COLORS[part], label=TITLES[part]) for part in PARTS if part in drawn]
    if both:
        handles.append(Patch(facecolor="0.7", edgecolor="white", hatch="////", label="model"))
    legend_below(figure, handles, 7)
    return figure


# ---- Written ---------------------------------------------------------------------------------------

def as_svg(figure):
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg"):]


def as_pdf(figure, path):
    figure.savefig(path, format="pdf", metadata={"CreationDate": None})


def close(figure):
    pyplot.close(figure)
