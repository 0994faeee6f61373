"""The works that are measured, by the name that `--only` takes; each gives rows of a table."""
import importlib.util
import re
import statistics
from datetime import datetime

from inputs import OURS
from race import Contestant, Run, matched, nothing, printed, race, said

# A folder of this many files is more than a command line holds.
EACH = "find {logs} -name '*.gz' -print0 | xargs -0"


def ours(name, command, result):
    return Contestant(name, f"{OURS}/{command}", result, ours=True)


def conversion(inputs, runs):
    """Captures to flows; packets and bytes of all flows must be those of the generator."""
    return [row for source in (inputs.imix, inputs.small) for row in convert(inputs, *source(), runs)]


def convert(inputs, capture, truth, runs):
    totals = (truth["packets"], truth["ip_bytes"])
    flow, folder = inputs.work / "out.flow", inputs.work / "out.nf"

    def totals_of(command):
        info = Run(command).out
        return tuple(int(re.search(rf"^{name}: (\d+)$", info, re.MULTILINE)[1]) for name in ("Packets", "Bytes"))

    title = f"capture to flows, {capture.stem}: {truth['file_bytes'] / 1e9:.2f} GB, {truth['packets'] / 1e6:.1f} M packets"
    return race(title, [
        ours("pcap2flow", f"pcap2flow -q -r {capture} -w {flow} --force",
             lambda _: totals_of(f"{OURS}/flowdump -q -I {flow}")),
        Contestant("nfpcapd", f"rm -rf {folder} && mkdir {folder} && nfpcapd -r {capture} -w {folder} -S 0 -z",
                   lambda _: totals_of(f"nfdump -R {folder} -I")),
    ], runs, totals)


def queries(inputs, runs):
    """`.flow` and nfdump's own file of the same flows."""
    flow, recorded = inputs.flows(), inputs.recorded()

    def both(title, arguments, result):
        return race(title, [
            ours("flowdump, `.flow`", f"flowdump -r {flow} {arguments}", result),
            ours("flowdump, nfdump's file", f"flowdump -r {recorded} {arguments}", result),
            Contestant("nfdump, its file", f"nfdump -r {recorded} {arguments}", result),
        ], runs)

    address = Run(f"nfdump -r {recorded} -q -N -s srcip/flows -n 1 -o csv").out.split("\n")[1].split(",")[4]
    rows = both("`src ip X and dst port 443`", f"-N 'src ip {address} and dst port 443'", matched)
    rows += both("`-s srcip/bytes`", "-q -N -s srcip/bytes -n 10 -o csv", top_bytes)
    rows += both("`-A srcip,dstip -O bytes -n 10`", "-q -N -A srcip,dstip -O bytes -n 10 -o 'fmt:%byt'", words)
    for form in ("line", "csv"):
        listing = (f"{OURS}/flowdump -r {flow}", f"{OURS}/flowdump -r {recorded}", f"nfdump -r {recorded}")
        counts = {Run(f"{program} -q -o {form} | grep -c '^20'").out for program in listing}
        assert len(counts) == 1, f"list in {form}: {counts} lines"
        rows += both(f"list all, `{form}`, to /dev/null", f"-q -o {form} > /dev/null", nothing)
    return rows


def top_bytes(run):
    """Bytes of a statistic's rows, whose columns stand in the same order in both. Equal ones may be of any address."""
    return [line.split(",")[9] for line in run.out.splitlines() if line.startswith("20")]


def words(run):
    """Numbers of a list of single values, without its heading."""
    return [word for word in run.out.split() if word.isdigit()]


def sizes(inputs, _):
    """Bytes of files with the same flows."""
    nfdump = inputs.recorded().stat().st_size
    rows = [f"| size of a file | nfdump, lz4 | | | {nfdump / 1e6:.1f} (file) | |"]
    for title, path in (("`.flow`", inputs.flows()),
                        ("`.flow`, zstd", inputs.flows("--compress=zstd", name="flows-zstd.flow"))):
        size = path.stat().st_size
        rows.append(f"| size of a file | {title} | | | {size / 1e6:.1f} (file) | 1/{nfdump / size:.2f} of nfdump's |")
    print("\n".join(rows), flush=True)
    return rows


def duck(sql, result):
    """DuckDB on two threads, where Python has it."""
    if importlib.util.find_spec("duckdb") is None:
        return []
    read = ("read_csv('{logs}/**/*.gz', delim=' ', header=true, nullstr='-', types={'srcaddr': 'VARCHAR', "
            "'dstaddr': 'VARCHAR', 'account-id': 'VARCHAR', 'traffic-path': 'BIGINT'})")
    sql = sql.replace("{read}", read)
    program = f'import duckdb; duckdb.sql("set threads = 2"); print(*duckdb.sql("""{sql}""").fetchall()[0])'
    return [Contestant("DuckDB, two threads", f"python3 - <<'END'\n{program}\nEND", result)]


def over_logs(title, logs, contestants, runs, expected=None):
    for contestant in contestants:
        contestant.command = contestant.command.replace("{logs}", str(logs))
    return race(title, contestants, runs, expected)


def cloud(inputs, runs):
    """Eight million records of which few match, and the address that sent most bytes."""
    awk = "awk '$7 == 443 && $13 == \"REJECT\" { bytes += $10 } END { printf \"%.0f\\n\", bytes }'"
    rows = over_logs("VPC logs, 8 M lines: filter and sum", inputs.logs(), [
        ours("flowdump", "flowdump -R {logs} -N -o null 'dst port 443 and action REJECT'", lambda run: matched(run)[1]),
        *duck("select sum(bytes) from {read} where dstport = 443 and action = 'REJECT'", printed),
        Contestant("`zcat` piped to `awk`", f"{EACH} zcat | {awk}", printed),
        Contestant("`zgrep` piped to `awk`", f"{EACH} zgrep -h REJECT | {awk}", printed),
    ], runs)
    sql = "select srcaddr, sum(bytes) as sent from {read} group by 1 order by 2 desc nulls last limit 1"
    return rows + over_logs("VPC logs, 8 M lines: `-s srcip/bytes`", inputs.logs(), [
        ours("flowdump", "flowdump -R {logs} -q -N -s srcip/bytes -n 1 -o csv", first_of_top),
        *duck(sql, printed),
    ], runs)


def first_of_top(run):
    """Address and bytes of the first row."""
    row = next(line for line in run.out.splitlines() if line.startswith("20")).split(",")
    return f"{row[4]} {row[9]}"


def laboratory(inputs, runs):
    """What the exercise asks of its 579 logs, by the shell pipelines and by flowdump; each alone, then all of it."""
    logs, truth = inputs.lab()
    attacker, null = truth["attacker"], "flowdump -R {logs} -N -o null"
    found = f"{EACH} zgrep -hF {attacker}"
    awk = "awk '%s { bytes += $12 } END { printf \"%%.0f\\n\", bytes }'"
    flows = f"{null} 'ip {attacker}'"
    works = {
        "records": (null, f"{EACH} zcat | wc -l", said(r"^(\d+) records = "),
                    lambda run: str(int(run.out) - truth["header_lines"]), str(truth["records"])),
        "flows of the attacker": (flows, f"{found} | wc -l", lambda run: matched(run)[0], printed,
                                  str(truth["attacker_records"])),
        "first and last of them": (
            flows, f"{found} | awk '{{ print $15 }}' | sort -n | sed -n '1p;$p'", window,
            lambda run: run.out.split(), [utc(truth["attacker_first_start"]), utc(truth["attacker_last_start"])]),
        "bytes to port 8889": (f"{null} 'ip {attacker} and dst port 8889'", f"{found} | {awk % '$10 == 8889'}",
                               lambda run: matched(run)[1], printed, str(truth["bytes_to_8889"])),
        "bytes from port 80": (f"{null} 'ip {attacker} and src port 80'", f"{found} | {awk % '$9 == 80'}",
                               lambda run: matched(run)[1], printed, str(truth["bytes_from_80"])),
    }
    rows = []
    for title, (query, pipeline, our_result, their_result, expected) in works.items():
        rows += over_logs(f"laboratory: {title}", logs, [
            ours("flowdump", query, our_result), Contestant("shell pipeline", pipeline, their_result)], runs, expected)
    together = [[work[which] for work in works.values()] for which in (0, 1)]
    return rows + over_logs("laboratory: all of it", logs, [
        ours("flowdump", f"; {OURS}/".join(together[0]), nothing),
        Contestant("shell pipelines", "; ".join(together[1]), nothing)], runs)


def utc(time):
    return str(time["epoch"])


def window(run):
    """First and last start of the summary, in seconds since 1970."""
    found = re.search(r"First start: (\S+?)(?:\.\d+)?Z, last start: (\S+?)(?:\.\d+)?Z", run.text)
    return [str(int(datetime.fromisoformat(f"{text}+00:00").timestamp())) for text in found.groups()]


def growth(inputs, runs):
    """Ours over 1, 2, 4 and 8 times the input: time and peak memory."""
    rows = []
    for title, command_of in GROWTH.items():
        cells = []
        for times in (1, 2, 4, 8):
            command = f"{OURS}/{command_of(inputs, times)}"
            done = [Run(command) for _ in range(runs + 1)][1:]
            cells.append(f"{statistics.median(run.wall for run in done):.2f} s, {max(run.peak for run in done):.0f} MB")
        rows.append(f"| {title} | {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    return rows


def grown_capture(inputs, times):
    capture, _ = inputs.capture(f"grown-{times}.pcap", "--seed", times, size=5e7 * times, flows=33_000 * times)
    return f"pcap2flow -q -r {capture} -w {inputs.work}/out.flow --force"


def grown_file(ending, arguments):
    """A command over the first of the recorded flows, in a file of this kind."""
    def command(inputs, times):
        path = inputs.work / f"grown-{times}.{ending}"
        if not path.exists():
            rows = int(600_000 * inputs.scale) * times
            Run(f"{OURS}/flowdump -q -r {inputs.recorded()} -c {rows} -w {path}")
        return f"flowdump -r {path} -q {arguments}"

    return command


def grown_logs(inputs, times):
    files = sorted(inputs.logs().rglob("*.gz"))
    folder = inputs.work / f"grown-{times}-logs"
    if not folder.exists():
        folder.mkdir()
        for file in files[:len(files) // 8 * times]:
            (folder / file.name).symlink_to(file.resolve())
    return f"flowdump -R {folder} -q -o null 'dst port 443 and action REJECT'"


GROWTH = {
    "capture of 50 MB to flows": grown_capture,
    "`-s srcip/bytes`, `.flow` of 0.6 M flows": grown_file("flow", "-s srcip/bytes"),
    "list `line`, `.flow` of 0.6 M flows": grown_file("flow", "> /dev/null"),
    "`-s srcip/bytes`, nfdump's file of 0.6 M flows": grown_file("nf", "-s srcip/bytes"),
    "filter, VPC logs of 1 M lines": grown_logs,
}

PARTS = {"conversion": conversion, "queries": queries, "sizes": sizes, "cloud": cloud, "lab": laboratory, "growth": growth}
