"""The page of a study: one file of HTML that needs no other."""
import html
import os

from . import draw
from .figures import label, study_of
from .judge import judgements, notes
from .tables import model_table, result_table, step_table

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1140px; padding: 0 1.5em; color: #222; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em } svg { max-width: 100%; height: auto }
h3 { font-size: 1em; margin: 1em 0 0 }
.scroll { overflow-x: auto; margin: 1em 0 } table { border-collapse: collapse; font-size: 13px }
th, td { padding: .25em .6em; text-align: right; border-bottom: 1px solid #ddd } td { white-space: nowrap } th { vertical-align: bottom }
pre { background: #f4f4f4; padding: .8em 1em; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px }
td.text { white-space: normal; overflow-wrap: anywhere; text-align: left }
dt { float: left; width: 14em; color: #666 } dd { margin-left: 14em }
"""
MODES = {"strong": "Strong scaling: a fixed batch, shared among the cores", "weak": "Weak scaling: a fixed batch for each rank"}
MARK = "<title>Scaling of "  # by which a page of ours is known


# ---- Tables ----------------------------------------------------------------------------------------

def html_table(head, table, text=()):
    filled = [i for i in range(len(head)) if any(row[i] for row in table)]
    head, table, text = [head[i] for i in filled], [[row[i] for i in filled] for row in table], [filled.index(i) for i in text if i in filled]
    titles = "".join(f"<th>{html.escape(c)}</th>" for c in head)
    lines = [f"<div class=scroll><table><thead><tr>{titles}</tr></thead><tbody>"]
    lines += ["<tr>" + "".join(f"<td{' class=text' * (i in text)}>{html.escape(c)}</td>" for i, c in enumerate(row)) + "</tr>"
              for row in table]
    return "\n".join([*lines, "</tbody></table></div>"])


def listed(lines, kind):
    return f"<ul class={kind}>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>" if lines else ""


# ---- Figures ---------------------------------------------------------------------------------------

def file_name(*words):
    return "-".join("".join(c if c.isalnum() else "-" for c in word) for word in words if word) + ".pdf"


def pictures(runs, model):
    """(file of the PDF, mode, title, figure), in the order of the page; a figure is closed when the next is asked for."""
    for mode in dict.fromkeys(s.mode for s in runs):
        yield file_name("scaling", mode), mode, "", draw.scaling(runs, model, mode)
        for cluster in dict.fromkeys(s.cluster for s in runs if s.mode == mode):
            yield (file_name("step", mode, cluster), mode, f"Where a step's time goes{', ' * bool(cluster)}{cluster}",
                   draw.shares(runs, model, mode, cluster))


def drawn(runs, model, keep_pdf):
    """The sections of the page with figures. keep_pdf(name, figure) writes each beside it."""
    body, before = [], ""
    for name, mode, title, figure in pictures(runs, model):
        if mode != before:
            body.append(f"<h2>{MODES[mode]}</h2>")
            threads = any(s.mode == "weak" and s.ranks == 1 and s.threads > 1 for s in runs)
            if mode == "weak" and threads:
                body.append("<p>A rank's batch is fixed, so 1 x n is strong scaling: n threads share the batch of one rank.</p>")
        before = mode
        body.append(f"<h3>{html.escape(title)}</h3>" * bool(title) + draw.as_svg(figure))
        keep_pdf(name, figure)
        draw.close(figure)
    return body


# ---- The page --------------------------------------------------------------------------------------

def heading(study, rows, title):
    first = rows[0]
    several = "the median of each split's runs" if any(r["repeat"] != "1" for r in rows) else "one run of each split"
    return [f"<h1>{html.escape(title)}</h1>",
            f"<p>{html.escape(first['version'] and first['version'] + '; ')}{len(rows)} runs from {html.escape(first['started'])} to "
            f"{html.escape(rows[-1]['started'])}; back end {html.escape(first['backend'])}; data "
            f"{html.escape(os.path.basename(study['asked']['data']))}. Figures are {several}. Speed-up and parallel efficiency "
            "refer to the split with the fewest cores, counted for each core; threads and ranks count alike. Each figure is also "
            "beside this page, as a PDF.</p>"]


def page(study, runs, model, rows, keep_pdf):
    title = f"Scaling of {rows[0]['network']}"
    simulated = any(s.cluster for s in runs)
    body = [*heading(study, rows, title), *drawn(runs, model, keep_pdf), "<h2>What limits it</h2>",
            listed(judgements(runs), "limits"), listed(notes(runs), "notes"),
            f"<h2>{'Simulated' if simulated else 'Measured'}</h2>", html_table(*result_table(runs)), html_table(*step_table(runs, model))]
    if model:
        how = "Pieces of work measured on one rank" if simulated else "By mlpdist doctor: steps alone with the busiest rank's lanes"
        body += [f"<h2>Predicted</h2><p>{how}, and the sum as messages times latency plus bytes over bandwidth.</p>",
                 html_table(*model_table(model)), listed(judgements(model), "limits")]
    body += ["<h2>Machine</h2><dl>" + "".join(
        f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in study["machine"].items()) + "</dl>",
             "<h2>To repeat it</h2>", f"<pre>{html.escape(study['command'])}</pre>", "<p>One run of each split:</p><pre>" +
             "\n".join(html.escape(f["command"]) for f in runs.values()) + "</pre>", "<h2>Where the ranks ran</h2>",
             html_table(["study", "ranks x threads", "hosts: ranks", "bindings"],
                        [[study_of(s), label(s), f["hosts"], f["bindings"]] for s, f in runs.items()], (2, 3))]
    return (f"<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n")


def is_ours(path):
    """May this index.html be replaced?"""
    with open(path, "rb") as file:
        begin = file.read(1000)
    return not begin or MARK.encode() in begin
