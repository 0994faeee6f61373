#!/usr/bin/env python3
"""Our programs against their peers, in one run: round-robin, equal results checked, medians and ratios.

    FLOW_CORPUS=DIR python3 tests/bench/compare.py [--runs 5] [--bytes 1500M] [--work DIR]

Needs a release build (`cargo build --release`), the input generators in DIR/tools, Debian's nfdump (nfpcapd), zcat
and awk; DuckDB (pip install duckdb) takes part where Python has it. Prints the table that stands in docs/performance.md.
"""
import argparse
import importlib.util
import ipaddress
import json
import os
import pathlib
import random
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
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            start = time.perf_counter()
            child = subprocess.Popen(["/usr/bin/env", "bash", "-c", command], stdout=out, stderr=err)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.wall = time.perf_counter() - start
            self.cpu = usage.ru_utime + usage.ru_stime
            self.peak = usage.ru_maxrss * 1024
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read(), err.read()
        if child.returncode != 0:
            sys.exit(f"{command}\nexit {child.returncode}\n{self.err}")


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
        peak = max(run.peak for run in done)
        ratio = "" if name == first else f"{statistics.median(wall) / base:.1f}x"
        span = f"{min(wall):.2f} / {statistics.median(wall):.2f} / {max(wall):.2f}"
        print(f"| {title} | {name} | {span} | {cpu:.2f} | {peak / 1e6:.0f} | {ratio} |", flush=True)


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


def both_read(title, file, arguments, outcome, options, peer=None):
    """flowdump and nfdump on one file; `outcome` of what they print must be equal."""
    seen = {}

    def check(name, run):
        seen[name] = outcome(run.out + run.err)
        assert len(set(map(str, seen.values()))) == 1, seen

    compare(title, {
        "flowdump": f"{OURS}/flowdump -r {file} {arguments}",
        "nfdump (Debian)": f"nfdump -r {file} {peer or arguments}",
    }, options.runs, check)


def total(text):
    """Flows and bytes of the summary."""
    words = next(line for line in text.splitlines() if line.startswith("Summary: ")).split(", ")
    return words[0].split()[-1], words[1].split()[-1]


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

    def rows(text):
        """Value and bytes of a statistic's rows, whose columns stand in the same order in both."""
        lines = [line.split(",") for line in text.splitlines() if line[:2] == "20"]
        return [(line[4], line[9]) for line in lines]

    def race(title, arguments, outcome):
        both_read(title, file, arguments, outcome, options)

    size = f"{file.stat().st_size / 1e6:.0f} MB of nfdump's lz4, 5 M records"
    race(f"{size}: `src ip X and dst port 443`", f"-N 'src ip {address} and dst port 443'", total)
    race(f"{size}: `-s srcip/bytes`", "-N -s srcip/bytes -n 10 -o csv", rows)
    counts = {Run(f"{program} -r {file} -q | wc -l").out for program in (f"{OURS}/flowdump", "nfdump")}
    assert len(counts) == 1, counts
    race(f"{size}: list all, `line`", "-q > /dev/null", lambda _: "counted before")


def many_addresses(work, options):
    """A filter of a million addresses or prefixes against one of a single address, and nfdump's own."""
    file, rng = work / "five.nf", random.Random(7)
    addresses, prefixes, script = work / "addresses.txt", work / "prefixes.txt", work / "addresses.nf"

    def drawn(shortest):
        length = rng.randint(shortest, 32)
        return f"{ipaddress.IPv4Address(rng.getrandbits(32) >> (32 - length) << (32 - length))}/{length}"

    addresses.write_text("".join(f"{ipaddress.IPv4Address(rng.getrandbits(32))}\n" for _ in range(1_000_000)))
    prefixes.write_text("".join(f"{drawn(24)}\n" for _ in range(1_000_000)))
    script.write_text(f"ip in [\n{addresses.read_text()}]\n")
    title = f"{file.stat().st_size / 1e6:.0f} MB of nfdump's lz4, 5 M records"
    both_read(f"{title}: `ip in @FILE`, 1 M addresses", file, f"-N -o null 'ip in @{addresses}'", total, options,
              f"-N -o null -f {script}")
    compare(f"{title}: filters of ours", {
        "`ip 10.1.2.3`": f"{OURS}/flowdump -r {file} -o null 'ip 10.1.2.3'",
        "`ip in @FILE`, 1 M addresses": f"{OURS}/flowdump -r {file} -o null 'ip in @{addresses}'",
        "`ip in @FILE`, 1 M prefixes of 24 to 32 bits": f"{OURS}/flowdump -r {file} -o null 'ip in @{prefixes}'",
    }, options.runs, lambda name, run: None)


def many_groups(work, options):
    """The ten largest of four million groups that five million records make."""
    file = work / "groups.nf"
    for packets, step in ((4_000_000, 25_000), (1_000_000, 100_000)):
        Run(f"{OURS}/make-flood lengths {packets} {step} | {OURS}/pcap2flow - -w {work}/{packets}.nf")
    Run(f"{OURS}/flowdump -r {work}/4000000.nf -r {work}/1000000.nf -w {file}")

    def rows(text):
        """Source port and bytes of each group; a time with Z is ours."""
        lines = [line.split(",") for line in text.splitlines() if line.startswith("1970")]
        return [(line[5], line[9]) if line[0].endswith("Z") else (line[5], line[12]) for line in lines]

    both_read("top 10 of 4 M groups of 5 M records: `-s record/bytes`", file,
              "-N -s record/bytes -n 10 -o csv", rows, options)


def duck(sql):
    """Python that asks DuckDB this about the logs `{logs}`, on two threads."""
    read = ("read_csv('{logs}/**/*.gz', delim=' ', header=true, nullstr='-', types={'srcaddr': 'VARCHAR', "
            "'dstaddr': 'VARCHAR', 'account-id': 'VARCHAR', 'traffic-path': 'BIGINT'})")
    return f'import duckdb; duckdb.sql("set threads = 2"); print(duckdb.sql("""{sql.format(read=read)}""").fetchall())'


# A folder of this many files is more than a command line holds.
EACH = "find {logs} -name '*.gz' -print0 | xargs -0"


def logs_race(title, logs, expected, contestants, options):
    """Programs that read all logs of a folder; each must print what is expected."""
    def check(name, run):
        text = (run.out + run.err).replace(",", "")
        assert all(str(number) in text for number in expected), f"{name}: {text}"

    files = len(list(logs.rglob("*.gz")))
    if importlib.util.find_spec("duckdb") is None:
        contestants = {name: command for name, command in contestants.items() if not name.startswith("DuckDB")}
    filled = {name: command.replace("{logs}", str(logs)) for name, command in contestants.items()}
    compare(f"{title}, {files} gz logs", filled, options.runs, check)


def lab_query(corpus, work, options):
    """Bytes to one port of the attacker, in a day of logs and in one of fifty times the volume."""
    for scale in (1, 50):
        folder = work / f"lab{scale}"
        subprocess.run([sys.executable, corpus / "tools/make_vpc_lab.py", "--out", folder, "--scale", str(scale)],
                       capture_output=True, check=True)
        truth = json.loads((folder / "truth.json").read_text())
        attacker = truth["attacker"]
        awk = f"awk '$8 == \"{attacker}\" && $10 == 8889 {{ bytes += $12 }} END {{ printf \"%.0f\\n\", bytes }}'"
        sql = f"select sum(bytes) from {{read}} where dstaddr = '{attacker}' and dstport = 8889"
        title = f"bytes to one port of one address, {truth['records'] / 1e6:.2f} M records"
        logs_race(title, folder / "20230928", [truth["bytes_to_8889"]], {
            "flowdump": f"{OURS}/flowdump {{logs}} -N -o null 'dst ip {attacker} and dst port 8889'",
            "zcat piped to awk": f"{EACH} zcat | {awk}",
            "zgrep piped to awk": f"{EACH} zgrep -hF {attacker} | {awk}",
            "DuckDB, 2 threads": f"python3 - <<'END'\n{duck(sql)}\nEND",
        }, options)
        shutil.rmtree(folder)


def eight_million(corpus, work, options):
    """Eight million records of which one in ninety matches, and the addresses that sent most of them."""
    logs = work / "logs8"
    subprocess.run([sys.executable, corpus / "tools/make_vpclogs.py", logs, "--files", "500", "--records", "16000"],
                   capture_output=True, check=True)
    chosen = "$7 == 443 && $13 == \"REJECT\""
    awk = f"awk '{chosen} {{ bytes += $10 }} END {{ printf \"%.0f\\n\", bytes }}'"
    expected = Run(f"{EACH} zcat | {awk}".replace("{logs}", str(logs))).out.strip()
    sql = "select sum(bytes) from {read} where dstport = 443 and action = 'REJECT'"
    logs_race("filter and sum, 8 M records", logs, [expected], {
        "flowdump": f"{OURS}/flowdump {{logs}} -N -o null 'dst port 443 and action REJECT'",
        "zcat piped to awk": f"{EACH} zcat | {awk}",
        "zgrep piped to awk": f"{EACH} zgrep -h REJECT | {awk}",
        "DuckDB, 2 threads": f"python3 - <<'END'\n{duck(sql)}\nEND",
    }, options)
    top = "awk '$4 != \"-\" { bytes[$4] += $10 } END { for (ip in bytes) printf \"%s %.0f\\n\", ip, bytes[ip] }'"
    top = f"{EACH} zcat | {top} | sort -k2,2nr | head -10"
    first = Run(top.replace("{logs}", str(logs))).out.split("\n")[0].split()
    sql = "select srcaddr, sum(bytes) from {read} group by 1 order by 2 desc nulls last limit 10"
    logs_race("ten sources of most bytes, 8 M records", logs, first, {
        "flowdump": f"{OURS}/flowdump {{logs}} -N -s srcip/bytes -n 10",
        "zcat piped to awk, sort, head": top,
        "DuckDB, 2 threads": f"python3 - <<'END'\n{duck(sql)}\nEND",
    }, options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bytes", default="1500M")
    parser.add_argument("--work", type=pathlib.Path)
    options = parser.parse_args()
    corpus = pathlib.Path(os.environ.get("FLOW_CORPUS") or sys.exit("FLOW_CORPUS is not set"))
    work = pathlib.Path(tempfile.mkdtemp(prefix="flow-bench-", dir=options.work))
    print("| work | program | wall s: min / median / max | CPU s, median | peak MB | ratio to the first |")
    print("| --- | --- | --- | --- | --- | --- |")
    try:
        conversion(corpus, work, options)
        archive(work, options)
        many_addresses(work, options)
        many_groups(work, options)
        lab_query(corpus, work, options)
        eight_million(corpus, work, options)
    finally:
        shutil.rmtree(work)


main()
