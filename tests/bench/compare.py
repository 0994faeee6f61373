#!/usr/bin/env python3
"""Our programs against their peers, in one run: round-robin, equal results checked, medians and ratios.

    FLOW_CORPUS=DIR tests/bench/compare.py [--runs 5] [--only PART,...] [--work DIR] [--write]

Needs a release build (`cargo build --release`), the generators in DIR/tools, Debian's nfdump and nfpcapd, zcat, zgrep,
awk and /usr/bin/time; DuckDB (pip install duckdb) takes part where Python has it. `--work` keeps inputs (about 4 GB) for
the next run; `--write` puts the tables into docs/performance.md, with commit and machine; `--scale 0.01` tries everything
out with little.
Files: race.py runs commands in turn, inputs.py makes what they read, parts.py has the works.
"""
import argparse
import contextlib
import datetime
import importlib.util
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

from inputs import ROOT, Inputs
from parts import PARTS
from race import HEAD

PAGE = ROOT / "docs/performance.md"
BEGIN, END = "<!-- written by tests/bench/compare.py: begin -->", "<!-- written by tests/bench/compare.py: end -->"
GROWTH_HEAD = "| work | 1x | 2x | 4x | 8x |\n| --- | --- | --- | --- | --- |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="rounds after the one that warms up")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--work", type=pathlib.Path, help="folder that keeps the inputs")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the inputs, to try this program out")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    options = parser.parse_args()
    corpus = pathlib.Path(os.environ.get("FLOW_CORPUS") or sys.exit("FLOW_CORPUS is not set"))
    if unknown := set(options.only.split(",")) - set(PARTS):
        sys.exit(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    with contextlib.ExitStack() as stack:
        work = options.work or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flow-bench-")))
        work.mkdir(parents=True, exist_ok=True)
        inputs = Inputs(work.resolve(), corpus.resolve(), options.scale)
        rows = {part: PARTS[part](inputs, options.runs) for part in PARTS if part in options.only.split(",")}
    text = report(rows, options.runs)
    if options.write:
        write(text)
    else:
        print(f"\n{text}")


def report(rows, runs):
    """Where and how it was measured, the table of races, and the one of growth."""
    parts = [f"{surroundings()} {runs} rounds in turn after one that warms up, page cache warm, results equal."]
    if races := [row for part, of_part in rows.items() if part != "growth" for row in of_part]:
        parts.append("\n".join([HEAD, *races]))
    if growth := rows.get("growth"):
        parts.append("\n".join([GROWTH_HEAD, *growth]))
    return "\n\n".join(parts)


def surroundings():
    """Date, commit, machine and versions of the peers."""
    def said(*command):
        return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.strip()

    commit = said("git", "describe", "--always", "--dirty")
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    kilobytes = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    nfdump = re.search(r"\d+\.\d+[.\d]*", said("nfdump", "-V"))
    peers = [f"nfdump {nfdump[0] if nfdump else '(version unknown)'}"]
    if importlib.util.find_spec("duckdb"):
        import duckdb
        peers.append(f"DuckDB {duckdb.__version__}")
    return (f"{datetime.date.today()}, commit {commit}; {model[1] if model else platform.machine()}, {os.cpu_count()} cores, "
            f"{kilobytes / 2**20:.0f} GiB, Linux {platform.release()}; {', '.join(peers)}.")


def write(text):
    """Replaces what stands between the two marks."""
    page = PAGE.read_text()
    before, after = page.index(BEGIN) + len(BEGIN), page.index(END)
    PAGE.write_text(f"{page[:before]}\n\n{text}\n\n{page[after:]}")


if __name__ == "__main__":
    main()
