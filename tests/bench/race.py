"""Races: commands run in turn, their results held against each other, and what they took as rows of a table."""
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HEAD = ("| work | program | wall s: min / median / max | CPU s: min / median / max | peak MB | ratio to ours |\n"
        "| --- | --- | --- | --- | --- | --- |")


class Run:
    """What one run of a shell command took and printed. The peak of a pipeline is that of its largest process.

    Linux counts the memory of the process that starts another as the other's: /usr/bin/time (Debian package time), which
    has next to none, stands between Python and the command."""

    def __init__(self, command):
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, \
                tempfile.NamedTemporaryFile("r") as peak:
            start = time.perf_counter()
            words = ["/usr/bin/time", "--quiet", "-f", "%M", "-o", peak.name, "bash", "-c", command]
            child = subprocess.Popen(words, stdout=out, stderr=err)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.wall = time.perf_counter() - start
            self.cpu = usage.ru_utime + usage.ru_stime
            out.seek(0)
            err.seek(0)
            self.out = out.read()
            self.text = self.out + err.read()
            self.peak = int(peak.read() or 0) * 1024 / 1e6
        if child.returncode != 0:
            sys.exit(f"{command}\nexit {child.returncode}\n{self.text}")


class Contestant:
    """A command, and what is read off its run: results of all contestants must be equal."""

    def __init__(self, name, command, result, ours=False):
        self.name, self.command, self.result, self.ours = name, command, result, ours
        self.runs = []

    def run(self, counts):
        run = Run(self.command)
        if counts:
            self.runs.append(run)
        return self.result(run)

    def median(self, what):
        return statistics.median(getattr(run, what) for run in self.runs)

    def span(self, what):
        values = [getattr(run, what) for run in self.runs]
        return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}"

    def peak(self):
        return max(run.peak for run in self.runs)


def race(title, contestants, runs, expected=None):
    """Rows of the table; every contestant runs once to warm up, then in turn."""
    for turn in range(runs + 1):
        for contestant in contestants:
            result = contestant.run(turn > 0)
            expected = result if expected is None else expected
            if result != expected:
                sys.exit(f"{title}: {contestant.name} found {result}, not {expected}\n{contestant.command}")
    ours = [contestant for contestant in contestants if contestant.ours]
    rows = [f"| {title} | {one.name} | {one.span('wall')} | {one.span('cpu')} | {one.peak():.0f} | "
            f"{'' if one.ours else ratios(one, ours)} |" for one in contestants]
    print("\n".join(rows), flush=True)
    return rows


def ratios(peer, ours):
    """How much more a peer takes than each of ours, in their order."""
    def each(of):
        return " and ".join(f"{of(peer) / max(of(one), 0.001):.1f}x" for one in ours)

    return (f"{each(lambda one: one.median('wall'))} wall, {each(lambda one: one.median('cpu'))} CPU, "
            f"{each(Contestant.peak)} memory")


def matched(run):
    """Flows and bytes of the summary, which nfdump and flowdump print alike."""
    found = re.search(r"^Summary: total flows: (\d+), total bytes: (\d+)", run.text, re.MULTILINE)
    return found and found.groups()


def said(pattern):
    """What a pattern finds in the output."""
    def result(run):
        found = re.search(pattern, run.text, re.MULTILINE)
        return found and found[1]

    return result


def printed(run):
    """All that was printed."""
    return run.out.strip()


def nothing(_):
    """For races whose results are compared beforehand."""
    return "compared before"
