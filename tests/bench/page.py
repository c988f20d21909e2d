#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""The results of `make bench` as one JSON document and as one HTML page that loads nothing.

  page.py collect FOLDER --program P [...]   FOLDER/startup (startup.sh) and FOLDER/overhead.json (overhead.py) to JSON on stdout
  page.py page BENCH.JSON                    the page on stdout
  page.py verdict BENCH.JSON                 a line for every figure; exit status 1 when one is outside its limit or missing

Only `collect` judges; page and verdict repeat its words. A figure taken while others used the machine is not judged.
"""
import argparse
import datetime
import html
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CSS = ROOT / "lab" / "report" / "html" / "page.css"
VARIANTS = {"naive": "naive script", "cold": "bascule, cold", "warm": "bascule, warm"}
TARGETS = {"cold": 0.70, "warm": 0.40}
BUSY_PERCENT = 25  # of the machine's CPUs, taken by others before a round; startup.sh has the same number
SIGNS = {"inside": "✓", "outside": "✗", "not judged": "–", "not measured": "?"}


# ---- collecting and judging -------------------------------------------------------------------------------------------------

def spread(samples):
    return {"samples": samples, "min": min(samples), "median": statistics.median(samples), "max": max(samples)}


def read_startup(path):
    """Lines "naive|cold|warm|others ROUND VALUE". None unless every variant has a sample."""
    found = {"naive": [], "cold": [], "warm": [], "others": []}
    for line in path.read_text().splitlines() if path.exists() else []:
        kind, _, value = line.split()
        found[kind].append(float(value))
    if not all(found[v] for v in VARIANTS):
        return None
    return {"unit": "s", "variants": {v: spread(found[v]) for v in VARIANTS}, "others_percent": found["others"],
            "complete": len({len(found[v]) for v in VARIANTS}) == 1}


def read_overhead(path):
    if not path.exists():
        return None
    raw = json.loads(path.read_text())
    for name in ("cpu_percent", "memory_mb"):
        raw[name] = {"value": raw[name], **spread([span[name] for span in raw["spans"]])}
    del raw["spans"]
    return raw


def figure(name, value, limit, unit, busy):
    if value is None:
        word = "not measured"
    elif busy:
        word = "not judged"
    else:
        word = "inside" if value <= limit else "outside"
    return {"name": name, "value": value, "limit": limit, "unit": unit, "verdict": word}


def judge(startup, overhead):
    figures = []
    busy = startup is not None and sum(p > BUSY_PERCENT for p in startup["others_percent"]) * 2 > len(startup["others_percent"])
    for variant, target in TARGETS.items():
        ratio = None
        if startup and startup["complete"]:
            ratio = startup["variants"][variant]["median"] / startup["variants"]["naive"]["median"]
        figures.append(figure(f"start-up, {variant} / naive", ratio, target, "", busy))
    busy_overhead = overhead is not None and overhead["others_percent"] > BUSY_PERCENT
    for name, key, limit, unit in (("CPU of an idle lab, of one core", "cpu_percent", "cpu_limit", "%"),
                                   ("memory of an idle lab", "memory_mb", "memory_limit", "MB")):
        value, top = (overhead[key]["value"], overhead[limit]) if overhead else (None, {"cpu_limit": 5, "memory_limit": 40}[limit])
        figures.append(figure(name, value, top, unit, busy_overhead))
    return figures, busy or busy_overhead


def first_line(*command):
    try:
        out = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    return out.splitlines()[0].strip() if out.strip() else None


def versions(program):
    postgres = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: float(p.parts[4]))
    commit = first_line("git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "describe", "--always", "--dirty", "--match=")
    return {"bascule": first_line(program, "--version"), "commit": commit,
            "PostgreSQL": first_line(str(postgres[-1]) if postgres else shutil.which("postgres") or "postgres", "--version"),
            "Patroni": first_line("patroni", "--version"), "etcd": first_line("etcd", "--version")}


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def collect(o):
    startup, overhead = read_startup(o.folder / "startup"), read_overhead(o.folder / "overhead.json")
    figures, busy = judge(startup, overhead)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"format": "bascule-bench/1", "began": o.began or now, "ended": now, "busy": busy, "figures": figures,
            "startup": startup, "overhead": overhead, "versions": versions(o.program),
            "host": {"kernel": platform.release(), "cpus": len(os.sched_getaffinity(0)), "cpu_model": cpu_model(),
                     "load_before": o.load_before, "load_after": o.load_after}}


# ---- the drawing ------------------------------------------------------------------------------------------------------------

STYLE = """
.plot { display: block; width: 100%; overflow: visible; }
.strip { stroke: var(--line); stroke-width: 1; }
.dot { fill: var(--ground); stroke: var(--leader); stroke-width: 2; }
.median { stroke: var(--text); stroke-width: 3; }
.target { stroke: var(--fault); stroke-width: 2; stroke-dasharray: 5 3; }
.t.f { fill: var(--fault); }
.table { margin-bottom: .8rem; } th, td { overflow-wrap: normal; } .v { white-space: nowrap; }
@media screen { .t { font-size: 13px; } }
@media print { .plot { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
ROW, TOP = 84, 8


def esc(value):
    return html.escape("unknown" if value is None else str(value))


def nice_step(top):
    return next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e9) if top / s <= 6)


def place(value, top):
    """Where on the axis, in percent of the width: the drawing has no fixed width, so that its words keep their size on a phone."""
    return f"{2 + 94 * value / top:.2f}%"


def words_at(value, top, y, text, cls):
    """Words beside a line: to its left where the right has no room."""
    left = value / top > 0.6
    return f'<text class="t halo {cls}{" e" if left else ""}" x="{place(value, top)}" dx="{-6 if left else 6}" y="{y}">{esc(text)}</text>'


def strip(n, title, found, top, unit, target=None):
    y = TOP + n * ROW + 46
    out = [f'<text class="t b" x="2%" y="{y - 30}">{esc(title)}</text>', f'<line class="strip" x1="2%" x2="96%" y1="{y}" y2="{y}"/>']
    if target is not None:
        x = place(target, top)
        out += [f'<line class="target" x1="{x}" x2="{x}" y1="{y - 20}" y2="{y + 20}"/>',
                words_at(target, top, y - 12, f"limit {target:.2f} {unit}", "f")]
    for i, value in enumerate(found["samples"]):  # up and down in turn, so that equal samples stay apart
        out.append(f'<circle class="dot" cx="{place(value, top)}" cy="{y + (i % 3 - 1) * 6}" r="5"><title>sample {i + 1}: {value:.2f} {esc(unit)}</title></circle>')
    x = place(found["median"], top)
    out += [f'<line class="median" x1="{x}" x2="{x}" y1="{y - 14}" y2="{y + 14}"/>',
            words_at(found["median"], top, y + 27, f"median {found['median']:.2f} {unit}", "")]
    return "".join(out)


def plot(rows, unit, name):
    """rows: (title, spread, target or None)."""
    top = 1.08 * max([r[1]["max"] for r in rows] + [r[2] for r in rows if r[2] is not None] + [0.01])
    height, step = TOP + ROW * len(rows) + 30, nice_step(top)
    ticks = [step * i for i in range(int(top / step) + 1)]
    axis = "".join(f'<line class="grid" x1="{place(t, top)}" x2="{place(t, top)}" y1="{TOP}" y2="{height - 24}"/>'
                   f'<text class="t m c" x="{place(t, top)}" y="{height - 8}">{t:g}{" " + esc(unit) if t == ticks[-1] else ""}</text>' for t in ticks)
    said = "; ".join(f"{title}: {len(s['samples'])} samples, median {s['median']:.2f}, from {s['min']:.2f} to {s['max']:.2f} {unit}" for title, s, _ in rows)
    body = "".join(strip(i, title, s, top, unit, target) for i, (title, s, target) in enumerate(rows))
    return (f'<div class="chart"><svg class="plot" height="{height}" role="img" aria-label="{esc(name)}. {esc(said)}.">{axis}{body}</svg></div>'
            '<p class="small muted">A circle is a sample, the thick line is the median, the broken line is the limit.</p>')


# ---- the page ---------------------------------------------------------------------------------------------------------------

def table(name, heads, rows):
    """Cells that are numbers are set to the right; heads tell which: a leading ">"."""
    right = [h.startswith(">") for h in heads]
    head = "".join(f'<th scope="col"{" class=n" if r else ""}>{esc(h.lstrip(">"))}</th>' for h, r in zip(heads, right))
    body = "".join("<tr>" + "".join(f'<td{" class=n" if r else ""}>{cell if isinstance(cell, Markup) else esc(cell)}</td>' for cell, r in zip(row, right)) + "</tr>"
                   for row in rows)
    return (f'<div class="table" tabindex="0" role="region" aria-label="{esc(name)}"><table><caption>{esc(name)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")


class Markup(str):
    """Words that are HTML already."""


def sign(word):
    colour = {"inside": "good", "outside": "bad"}.get(word, "warn")
    return Markup(f'<span class="v {colour}"><span aria-hidden="true">{SIGNS[word]}</span> {esc(word)}</span>')


def amount(value, unit):
    return "–" if value is None else f"{value:.2f} {unit}".strip()


def verdict(bench):
    words = [f["verdict"] for f in bench["figures"]]
    if "outside" in words:
        return "bad", "✗", f"{words.count('outside')} of {len(words)} figures outside the limit"
    if "not measured" in words:
        return "bad", "?", f"{words.count('not measured')} of {len(words)} figures not measured"
    if "not judged" in words:
        return "warn", "–", f"{words.count('not judged')} of {len(words)} figures not judged"
    return "good", "✓", "Every figure inside its limit"


def summary(bench):
    colour, mark, words = verdict(bench)
    why = f"{bench['host']['cpus']} CPUs, load {bench['host']['load_before']} before and {bench['host']['load_after']} after"
    note = ""
    if bench["busy"]:
        note = (f'<p class="warn"><strong>The machine was busy:</strong> others took more than {BUSY_PERCENT} % of its CPUs when it was looked at '
                "before measuring. Numbers of a busy machine can't be compared with those of an idle one, so they are shown and not judged.</p>")
    rows = [(f["name"], sign(f["verdict"]), amount(f["value"], f["unit"]), amount(f["limit"], f["unit"])) for f in bench["figures"]]
    return (f'<section aria-labelledby="summary-h"><h2 id="summary-h">Summary</h2><div class="verdict {colour}"><span class="sign" aria-hidden="true">{mark}</span>'
            f'<div><strong>{esc(words)}</strong><span class="why">{esc(why)}</span></div></div>{note}'
            + table("Figures and their limits", ["figure", "verdict", ">measured", ">at most"], rows) + "</section>")


def spread_rows(pairs, unit):
    return [(title, len(s["samples"]), amount(s["min"], unit), amount(s["median"], unit), amount(s["max"], unit)) for title, s in pairs]


def startup_section(bench):
    startup = bench["startup"]
    head = '<section aria-labelledby="startup-h"><h2 id="startup-h">Start-up</h2>'
    if not startup:
        return head + "<p>Not measured: not every kind of start came to an end.</p></section>"
    found = startup["variants"]
    limits = {f["name"]: f["limit"] for f in bench["figures"]}
    rows = [(title, found[v], None if v == "naive" else limits[f"start-up, {v} / naive"] * found["naive"]["median"]) for v, title in VARIANTS.items()]
    lines = []
    for i in range(max(len(s["samples"]) for s in found.values())):
        cells = [f"{found[v]['samples'][i]:.2f}" if i < len(found[v]["samples"]) else "–" for v in VARIANTS]
        others = startup["others_percent"]
        lines.append((i + 1, *cells, f"{others[i]:.0f} %" if i < len(others) else "–"))
    return (head + "<p>Seconds from nothing to a healthy cluster of three nodes: a script that does one thing after the other, then ours without "
            "a template of the data directory (cold) and with one (warm), in turn. The limits are parts of the naive median.</p>"
            + plot([(t, s, l) for t, s, l in rows], "s", "Start-up times")
            + table("Start-up, all rounds", ["kind", ">samples", ">least", ">median", ">most"], spread_rows([(t, s) for t, s, _ in rows], "s"))
            + table("Every sample, in seconds", [">round", ">naive", ">cold", ">warm", ">others' CPU before"], lines) + "</section>")


def overhead_section(bench):
    over = bench["overhead"]
    head = '<section aria-labelledby="overhead-h"><h2 id="overhead-h">What an idle lab costs</h2>'
    if not over:
        return head + "<p>Not measured: the lab did not come up, or not all of its processes were found.</p></section>"
    roles = [(r["role"], r["processes"], f"{r['cpu_percent']:.2f} %", f"{r['memory_mb']:.1f} MB") for r in over["roles"]]
    roles.append(("together", sum(r["processes"] for r in over["roles"]), f"{over['cpu_percent']['value']:.2f} %", f"{over['memory_mb']['value']:.1f} MB"))
    return (head + f"<p>bascule's own processes, not the daemons, over {over['seconds']:.0f} s of a healthy lab of three nodes with {over['writes_per_s']:.0f} writes/s: "
            f"CPU in percent of one core, memory as proportional set size. A sample is a fifth of that time; the CPU is judged over all of it, the memory at its end. "
            f"Others took {over['others_percent']:.0f} % of the machine's CPUs before.</p>"
            + plot([("CPU, of one core", over["cpu_percent"], over["cpu_limit"])], "%", "CPU")
            + plot([("memory", over["memory_mb"], over["memory_limit"])], "MB", "Memory")
            + table("By kind of process", ["process", ">count", ">CPU", ">memory"], roles) + "</section>")


def about_section(bench):
    host = bench["host"]
    rows = [("began", bench["began"]), ("ended", bench["ended"]), ("kernel", host["kernel"]), ("CPUs", f"{host['cpus']}, {host['cpu_model']}"),
            ("load before", host["load_before"]), ("load after", host["load_after"]), *bench["versions"].items()]
    return '<section aria-labelledby="about-h"><h2 id="about-h">Measured with</h2>' + table("Machine and versions", ["what", "value"], rows) + "</section>"


def page(bench):
    links = "".join(f'<li><a href="#{i}-h">{t}</a></li>' for i, t in (("summary", "Summary"), ("startup", "Start-up"), ("overhead", "Idle lab"), ("about", "Measured with")))
    when = bench["began"].replace("T", " ").replace("Z", " UTC")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="bascule">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>bascule bench, {esc(when)}</title>
<style>
{CSS.read_text()}{STYLE}</style>
</head>
<body>
<a class="skip" href="#summary-h">To the summary</a>
<header class="top"><h1>bascule bench</h1><p class="muted">{esc(when)}</p></header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main>{summary(bench)}{startup_section(bench)}{overhead_section(bench)}{about_section(bench)}</main>
<footer>Made by make bench from bench.json, which has every number. Nothing in this page is loaded from elsewhere.</footer>
</body>
</html>
"""


def tell_verdict(bench):
    for f in bench["figures"]:
        print(f"{SIGNS[f['verdict']]} {f['name']:32} {amount(f['value'], f['unit']):>10}   at most {amount(f['limit'], f['unit']):10} {f['verdict']}")
    if bench["busy"]:
        print("the machine was busy with something else")
    return 1 if any(f["verdict"] in ("outside", "not measured") for f in bench["figures"]) else 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = options.add_subparsers(dest="command", required=True)
    c = commands.add_parser("collect")
    c.add_argument("folder", type=pathlib.Path)
    c.add_argument("--program", required=True)
    for name in ("--began", "--load-before", "--load-after"):
        c.add_argument(name)
    for name in ("page", "verdict"):
        commands.add_parser(name).add_argument("bench", type=pathlib.Path)
    o = options.parse_args()
    if o.command == "collect":
        json.dump(collect(o), sys.stdout, indent=1, allow_nan=False)
        print()
        return 0
    bench = json.loads(o.bench.read_text())
    if o.command == "verdict":
        return tell_verdict(bench)
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(page(bench))
    return 0


if __name__ == "__main__":
    sys.exit(main())
