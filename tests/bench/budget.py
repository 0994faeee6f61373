#!/usr/bin/env python3
"""The regression guard: instructions that the hot paths take for a packet or row, held against a committed budget.

    tests/bench/budget.py                      counts; exit 1 if a path takes more than tests/bench/budget.tsv allows
    tests/bench/budget.py --update [NAME...]   writes what was counted as the new budget (read the diff)
    tests/bench/budget.py --keep DIR NAME      keeps the inputs and the profile of this path: callgrind_annotate DIR/NAME.out

Instructions are counted by callgrind, so that a busy machine changes nothing. Each command runs twice, pinned to one core:
over many packets or rows and over a single one, whose instructions are taken off. Inputs are made by `make-bench`, programs
are built with the profile `guard` (Cargo.toml). Hash seeds and addresses of memory differ from run to run, which moves
counts by far less than what is allowed: five runs in a row differed by 0.5 % at most. Another compiler, C library or kind of processor than those named
in the file moves them by more: then only a path far over its budget fails.
"""
import argparse
import concurrent.futures
import os
import pathlib
import platform
import queue
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUDGET = ROOT / "tests/bench/budget.tsv"
PROGRAMS = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "guard"
# What is allowed, in per cent, where the budget was measured elsewhere.
ELSEWHERE = 25
# Extensions of the instruction set that our dependencies and the C library look for.
EXTENSIONS = ("avx2", "bmi2", "pclmulqdq", "erms", "fsrm")


class Path:
    """A hot path: a line of the budget file."""

    def __init__(self, line):
        self.name, self.input, self.unit, self.command, budget, percent = line.split("\t")
        self.budget, self.percent = float(budget), float(percent)

    def line(self, budget):
        fields = (self.name, self.input, self.unit, self.command, f"{budget:.1f}", f"{self.percent:g}")
        return "\t".join(fields)

    def instructions(self, folder, items):
        """Instructions for each packet or row."""
        profile = folder / f"{self.name}.out"
        many = count(self.command, folder, self.input, profile)
        one = count(self.command, folder / "one", self.input, os.devnull)
        return (many - one) / items[self.input]

    def verdict(self, counted, same_surroundings):
        """Whether that is within the budget, and a line that says so."""
        percent = self.percent if same_surroundings else max(self.percent, ELSEWHERE)
        over = (counted / self.budget - 1) * 100
        text = f"{self.name}: {counted:.1f} instructions per {self.unit}, budget {self.budget:.1f} ({over:+.1f} %)"
        if over > percent:
            return False, f"{text}; if it is intended, run `tests/bench/budget.py --update {self.name}`"
        if over < -percent:
            text += f"; `tests/bench/budget.py --update {self.name}` keeps the gain"
        return True, text


def count(command, folder, source, profile):
    """Instructions of a command, in which IN and OUT stand for files. It runs in the folder of its input: records name the
    file they are from, so that longer paths would cost more."""
    with tempfile.TemporaryDirectory(prefix="flow-budget-") as scratch:
        words = [word.replace("OUT", f"{scratch}/out").replace("IN", source) for word in shlex.split(command)]
        words[0] = str(PROGRAMS / words[0])
        run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", *words],
                             cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"{shlex.join(words)}\nexit {run.returncode}\n{run.stderr}")
    return int(found[1])


def build():
    cargo = ["cargo", "build", "--quiet", "--locked"]
    subprocess.run([*cargo, "--profile", "guard", "-p", "pcap2flow", "-p", "flowdump"], cwd=ROOT, check=True)


def make_inputs(folder):
    """Writes all inputs; how many packets or rows each has more than the one of a single packet."""
    command = ["cargo", "run", "--quiet", "--locked", "-p", "flow-tests", "--bin", "make-bench", folder]
    made = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    items = {name: int(number) for name, number in (line.split("\t") for line in made.splitlines())}
    for name in ("flows.flow", "flows.nf"):
        for place in (folder, folder / "one"):
            program = [PROGRAMS / "pcap2flow", "-q", "-r", "flows.pcap", "-w", name, "--force"]
            subprocess.run(program, cwd=place, check=True, stderr=subprocess.DEVNULL)
        command = [PROGRAMS / "flowdump", "-q", "-I", folder / name]
        info = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        items[name] = int(re.search(r"^Records: (\d+)$", info.stdout, re.MULTILINE)[1]) - 1
    return items


def surroundings():
    """What counts depend on beside our sources."""
    command = ["rustc", "--version"]
    rustc = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    flags = re.search(r"^flags\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)[1].split()
    return ", ".join([rustc, " ".join(platform.libc_ver()), *(name for name in EXTENSIONS if name in flags)])


def count_all(paths, folder, items):
    """Instructions by the name of the path, as many counted at a time as there are cores: each has one to itself."""
    cores = queue.SimpleQueue()
    for core in os.sched_getaffinity(0):
        cores.put(core)
    # Holds for the thread, and for what it starts.
    pin = lambda: os.sched_setaffinity(0, {cores.get()})
    with concurrent.futures.ThreadPoolExecutor(cores.qsize(), initializer=pin) as pool:
        counted = pool.map(lambda path: path.instructions(folder, items), paths)
        return dict(zip([path.name for path in paths], counted))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these paths")
    parser.add_argument("--update", action="store_true", help="write the counts as the new budget")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="keep inputs and profiles in this folder")
    options = parser.parse_args()
    if platform.machine() != "x86_64" or not shutil.which("valgrind"):
        print("the regression guard is skipped: it needs valgrind (Debian package valgrind) on x86_64")
        return 0
    comments = [line for line in BUDGET.read_text().splitlines() if line.startswith("#")]
    paths = [Path(line) for line in BUDGET.read_text().splitlines() if line and not line.startswith("#")]
    chosen = [path for path in paths if not options.names or path.name in options.names]
    if unknown := set(options.names) - {path.name for path in paths}:
        sys.exit(f"no such path in {BUDGET}: {', '.join(sorted(unknown))}")
    build()
    with tempfile.TemporaryDirectory(prefix="flow-budget-") as temporary:
        folder = (options.keep or pathlib.Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        counted = count_all(chosen, folder, make_inputs(folder))
    if options.update:
        comments[-1] = f"# {surroundings()}"
        lines = [path.line(counted.get(path.name, path.budget)) for path in paths]
        BUDGET.write_text("\n".join(comments + lines) + "\n")
    return judge(chosen, counted, comments[-1].removeprefix("# "))


def judge(paths, counted, budget_of):
    """Prints every path's verdict; 1 if one is over its budget."""
    same = budget_of == surroundings()
    if not same:
        print(f"budget of {budget_of}\nthis is    {surroundings()}\nso up to {ELSEWHERE} % more are let pass")
    verdicts = [path.verdict(counted[path.name], same) for path in paths]
    print("\n".join(text for _, text in verdicts))
    return 0 if all(good for good, _ in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
