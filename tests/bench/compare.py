#!/usr/bin/env python3
"""Our programs against their peers, in one run: round-robin, equal results checked, medians and ratios.

    FLOW_CORPUS=DIR python3 tests/bench/compare.py [--runs 5] [--bytes 1500M] [--work DIR]

Needs a release build (`cargo build --release`), the input generators in DIR/tools, Debian's nfdump (nfpcapd), zcat
and awk. Prints the table that stands in docs/performance.md.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = ROOT / "target" / "release"


class Run:
    """What one run of a command took and printed."""

    def __init__(self, command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(["/usr/bin/env", "bash", "-c", command], capture_output=True, text=True)
        self.wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.out, self.err = done.stdout, done.stderr
        if done.returncode != 0:
            sys.exit(f"{command}\nexit {done.returncode}\n{done.stderr}")


def compare(title, contestants, runs, check):
    """Runs the contestants in turn; one warm-up each; `check` looks at (name, run) of each."""
    results = {name: [] for name in contestants}
    for turn in range(runs + 1):
        for name, command in contestants.items():
            run = Run(command)
            check(name, run)
            if turn > 0:
                results[name].append(run)
    first = next(iter(contestants))
    base = statistics.median(run.wall for run in results[first])
    for name, done in results.items():
        wall = [run.wall for run in done]
        cpu = statistics.median(run.cpu for run in done)
        ratio = "" if name == first else f"{statistics.median(wall) / base:.1f}x"
        span = f"{min(wall):.2f} / {statistics.median(wall):.2f} / {max(wall):.2f}"
        print(f"| {title} | {name} | {span} | {cpu:.2f} | {ratio} |", flush=True)


def conversion(corpus, work, options):
    capture = work / "imix.pcap"
    made = subprocess.run(
        [sys.executable, corpus / "tools/make_pcap.py", capture, "--bytes", options.bytes, "--seed", "1"],
        capture_output=True, text=True, check=True)
    truth = json.loads(made.stdout)

    def check(name, run):
        if name == "pcap2flow":
            expected = f"{truth['packets']} used + 0 skipped"
            assert expected in run.err, run.err
            info = Run(f"{OURS}/flowdump -I {work}/a.flow").out
            assert f"Packets: {truth['packets']}\n" in info and f"Bytes: {truth['ip_bytes']}\n" in info, info
        else:
            info = Run(f"nfdump -R {work}/nf -I").out
            assert f"Packets: {truth['packets']}\n" in info and f"Bytes: {truth['ip_bytes']}\n" in info, info

    compare(f"capture to flows, {truth['file_bytes'] / 1e9:.1f} GB, {truth['packets'] / 1e6:.1f} M packets, 1 M flows", {
        "pcap2flow": f"{OURS}/pcap2flow -r {capture} -w {work}/a.flow --force",
        "nfpcapd (Debian)": f"rm -rf {work}/nf && mkdir {work}/nf && nfpcapd -r {capture} -w {work}/nf",
    }, options.runs, check)


def archive(work, options):
    """nfdump's own files: what nfpcapd wrote of the capture, five times over, read by both."""
    many = work / "many"
    many.mkdir()
    recorded = next((work / "nf").iterdir())
    for copy in range(5):
        (many / f"nfcapd.20240101000{copy}").symlink_to(recorded)
    file = work / "five.nf"
    Run(f"nfdump -R {many} -y -c 5000000 -w {file}")
    address = Run(f"nfdump -r {file} -q -N -s srcip/flows -n 1 -o csv").out.split("\n")[1].split(",")[4]

    def total(text):
        """Flows and bytes of the summary."""
        words = next(line for line in text.splitlines() if line.startswith("Summary: ")).split(", ")
        return words[0].split()[-1], words[1].split()[-1]

    def rows(text):
        """Value and bytes of a statistic's rows, whose columns stand in the same order in both."""
        lines = [line.split(",") for line in text.splitlines() if line[:2] == "20"]
        return [(line[4], line[9]) for line in lines]

    def race(title, arguments, outcome):
        seen = {}

        def check(name, run):
            seen[name] = outcome(run.out + run.err)
            assert len(set(map(str, seen.values()))) == 1, seen

        compare(title, {
            "flowdump": f"{OURS}/flowdump -r {file} {arguments}",
            "nfdump (Debian)": f"nfdump -r {file} {arguments}",
        }, options.runs, check)

    size = f"{file.stat().st_size / 1e6:.0f} MB of nfdump's lz4, 5 M records"
    race(f"{size}: `src ip X and dst port 443`", f"-N 'src ip {address} and dst port 443'", total)
    race(f"{size}: `-s srcip/bytes`", "-N -s srcip/bytes -n 10 -o csv", rows)
    counts = {Run(f"{program} -r {file} -q | wc -l").out for program in (f"{OURS}/flowdump", "nfdump")}
    assert len(counts) == 1, counts
    race(f"{size}: list all, `line`", "-q > /dev/null", lambda _: "counted before")


def lab_query(corpus, work, options):
    subprocess.run([sys.executable, corpus / "tools/make_vpc_lab.py", "--out", work / "lab"],
                   capture_output=True, check=True)
    logs = work / "lab/20230928"
    expected = 265_183_813

    def check(name, run):
        text = run.err if name == "flowdump" else run.out
        assert str(expected) in text, f"{name}: {text}"

    awk = "awk '$8 == \"20.106.124.93\" && $10 == 8889 { bytes += $12 } END { print bytes }'"
    compare("bytes to one port of one address, 579 gz logs, 172,619 records", {
        "flowdump": f"{OURS}/flowdump {logs} -N -o null 'dst ip 20.106.124.93 and dst port 8889'",
        "zcat piped to awk": f"zcat {logs}/*.gz | {awk}",
    }, options.runs, check)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bytes", default="1500M")
    parser.add_argument("--work", type=pathlib.Path)
    options = parser.parse_args()
    corpus = pathlib.Path(os.environ.get("FLOW_CORPUS") or sys.exit("FLOW_CORPUS is not set"))
    work = pathlib.Path(tempfile.mkdtemp(prefix="flow-bench-", dir=options.work))
    print("| work | program | wall s: min / median / max | CPU s, median | ratio to ours |")
    print("| --- | --- | --- | --- | --- |")
    try:
        conversion(corpus, work, options)
        archive(work, options)
        lab_query(corpus, work, options)
    finally:
        shutil.rmtree(work)


main()
