#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Report pages as a browser shows and prints them: rendered.py BASCULE [--shots DIR] [RUN_FOLDER...]

Without folders: every log of tests/screen/logs and the made runs (make_runs.py). No lab, no network, nothing but Debian's chromium; exit 77
without it. The printed pages are read with pdftotext where there is one. --shots keeps the pages, their pictures and PDFs, to be looked at.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import browser

HERE = pathlib.Path(__file__).parent
LOGS = HERE.parent / "screen" / "logs"
LEFT_OUT = "hour", "outage", "cut"  # a matter of size; as `hostile`, which says more
PAPER = 703  # px of A4 between the margins of the style sheet
failed = 0


def tell(name, complaints):
    global failed
    failed += bool(complaints)
    print(f"{'not ok' if complaints else 'ok'} - {name}")
    for c in complaints[:8]:
        print(f"#   {c}")
    sys.stdout.flush()


def ask(page, question):
    return page.run(f"looks.{question}()")


def check_screens(page, name, shots):
    def picture(which):
        if shots:
            page.picture(shots / f"{name}-{which}.png")

    ready = page.run("document.documentElement.dataset.ready === '1'")
    tell(f"{name}: opens on a telephone without a complaint, fits, no word is broken",
         page.complaints + ([] if ready else ["the script did not finish"]) + ask(page, "width") + ask(page, "brokenWords"))
    picture("390-light")
    page.size(1300, 1000)
    light = ask(page, "width") + ask(page, "contrast")
    picture("1300-light")
    page.media("dark")
    tell(f"{name}: fits a desktop's screen and can be read, light and dark", page.complaints + light + ask(page, "contrast"))
    picture("1300-dark")
    page.run("for (const d of document.querySelectorAll('details')) d.open = true")
    tell(f"{name}: every word is for people, every link leads somewhere", ask(page, "words") + ask(page, "links"))
    page.run("for (const d of document.querySelectorAll('details')) d.open = false")


SHOWN = "document.querySelector('#timeline [role=status]').textContent"
LANES_BEGIN = 800  # px, on a desktop's screen: verdict, sentence, bar and lesson are above


def check_lanes(page, name):
    """The lanes stand on the first screen, and are looked at closer by wheel, dragging and keys."""
    problems = []
    page.size(1300, 1000)
    page.run("scrollTo(0, 0)")
    box = page.run("(() => { const b = document.querySelector('#timeline .chart').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()")
    if box[1] > LANES_BEGIN:
        problems.append(f"they begin at {box[1]:.0f} px")
    if not page.run("document.querySelector('#summary h2').textContent.length > 10"):
        problems.append("no sentence stands above them")
    x, y, whole = box[0] + box[2] * 0.4, box[1] + 60, page.run(SHOWN)

    def does(what, act):
        before = page.run(SHOWN)
        act()
        if page.run(SHOWN) == before:
            problems.append(f"{what} changes nothing, still {before}")

    def drag():
        page.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        page.mouse("mouseMoved", x + 100, y, button="left", buttons=1)
        page.mouse("mouseMoved", x + 200, y, button="left", buttons=1)
        page.mouse("mouseReleased", x + 200, y, button="left", clickCount=1)

    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-100)
    if page.run(SHOWN) != whole:
        problems.append("the wheel is taken from the page although the drawing has no focus")
    page.run("scrollTo(0, 0)")
    does("dragging", drag)
    page.run("document.querySelector('#timeline .chart').focus()")
    does("0", lambda: page.keys("0"))
    does("+", lambda: page.keys("+"))
    does("an arrow", lambda: (page.keys("ArrowLeft"), page.keys("ArrowLeft")) if "0.0 s to" not in page.run(SHOWN) else page.keys("ArrowRight"))
    does("-", lambda: page.keys("-"))
    page.keys("+")
    does("the wheel", lambda: page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-100))
    page.keys("0")
    tell(f"{name}: the lanes are on the first screen; wheel, dragging and keys look closer", problems + page.complaints)


def squeezed(text):
    return re.sub(r"\s+", " ", text).strip()


def parted(text, heads):
    """Pages whose last line is a heading or the head of a table."""
    out = []
    for number, page in enumerate(text.split("\f"), 1):
        lines = [squeezed(line) for line in page.splitlines() if line.strip()]
        if lines and lines[-1] in heads:
            out.append(f"page {number} ends with '{lines[-1]}'")
    return out


def check_paper(page, name, work, shots):
    pdf = (shots or work) / f"{name}.pdf"
    page.media("dark", "")  # paper is light whatever the screen is
    page.pdf(pdf)
    page.size(PAPER, 1000)
    page.media("dark", "print")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    tell(f"{name}, on paper: no word is broken, nothing is cut off, it can be read",
         page.complaints + ask(page, "brokenWords") + ask(page, "width") + ask(page, "contrast"))
    heads = set(ask(page, "heads"))
    if not shutil.which("pdftotext"):
        print(f"ok - {name}, on paper: headings stay with what follows # SKIP pdftotext (poppler-utils) is not installed")
        return
    text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True, text=True).stdout
    missing = [head for head in ("What happened", "Configuration") if head not in text]
    tell(f"{name}, on paper: headings stay with what follows", parted(text, heads) + [f"'{m}' is not printed" for m in missing])


def runs_of(args, work):
    if args.runs:
        return [pathlib.Path(run) for run in args.runs]
    subprocess.run([sys.executable, str(HERE / "make_runs.py"), str(work / "made")], check=True)
    for log in sorted(LOGS.glob("*.jsonl")):
        (work / "made" / log.stem).mkdir()
        shutil.copy(log, work / "made" / log.stem / "events.jsonl")
    return sorted(p for p in (work / "made").iterdir() if p.name not in LEFT_OUT)


def check_run(web, args, run, work, shots):
    name, file = run.name, (shots or work) / f"{run.name}.html"
    subprocess.run([args.bascule, "report", str(run), f"--html={file}"], stdout=subprocess.DEVNULL, check=False)
    tell(f"{name}: the page is written", [] if file.exists() else [f"no {file.name}"])
    with web.page(width=390, height=844) as page:
        page.open(file)
        page.run((HERE / "looks.js").read_text())
        check_screens(page, name, shots)
        if name in ("leader-crash", "quorum-loss"):
            check_lanes(page, name)
        check_paper(page, name, work, shots)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bascule")
    parser.add_argument("--shots", type=pathlib.Path)
    parser.add_argument("runs", nargs="*")
    args = parser.parse_args()
    if not browser.find():
        print("ok - report pages in a browser # SKIP chromium is not installed")
        return 77
    if args.shots:
        args.shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as web:
        work = pathlib.Path(folder)
        for run in runs_of(args, work):
            check_run(web, args, run, work, args.shots)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
