"""Inputs of the benchmark program, made when they are asked for and kept in its folder: another run finds them there.

Captures and logs come from the generators in FLOW_CORPUS/tools, flow files from nfpcapd and from ours. `scale` makes
everything smaller, to try the program out; a folder holds inputs of one scale.
"""
import json
import pathlib
import shutil
import subprocess
import sys

from race import Run

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = ROOT / "target" / "release"


class Inputs:
    def __init__(self, work, corpus, scale):
        self.work, self.tools, self.scale = work, corpus / "tools", scale

    def generate(self, tool, *arguments):
        """What a generator says about what it wrote."""
        command = [sys.executable, self.tools / tool, *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def made(self, name, make):
        """The path of an input; `make` writes it to another one first, so that a broken run leaves nothing half made."""
        path = self.work / name
        if not path.exists():
            unfinished = self.work / f"unfinished-{name}"
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(path)
        return path

    def capture(self, name, *arguments, size, flows):
        """A capture of `size` bytes, and its totals."""
        def make(path):
            totals = self.generate("make_pcap.py", path, "--bytes", int(size * self.scale),
                                   "--flows", max(1, int(flows * self.scale)), *arguments)
            (self.work / name).with_suffix(".json").write_text(totals)

        path = self.made(name, make)
        return path, json.loads(path.with_suffix(".json").read_text())

    def imix(self):
        return self.capture("imix.pcap", "--seed", 1, size=1.5e9, flows=1e6)

    def small(self):
        return self.capture("small.pcap", "--sizes", "small", "--seed", 2, size=5e8, flows=1e6)

    def recorded(self):
        """nfpcapd's records of five million small packets of four million flows: lz4, one-way, nfdump's own file."""
        def make(path):
            capture, _ = self.capture("flows.pcap", "--sizes", "small", "--seed", 3, size=5e8, flows=4e6)
            folder = self.work / "unfinished-nfpcapd"
            Run(f"rm -rf {folder} && mkdir {folder} && nfpcapd -r {capture} -w {folder} -S 0 -z && "
                f"nfdump -R {folder} -y -w {path} && rm -rf {folder} {capture}")

        return self.made("flows.nf", make)

    def flows(self, *options, name="flows.flow"):
        """The same flows in a file of ours."""
        recorded = self.recorded()
        # The name's ending says which format is written.
        path = self.work / name
        if not path.exists():
            Run(f"{OURS}/flowdump -q -r {recorded} -w {path} {' '.join(options)}")
        return path

    def logs(self):
        """Eight million records in 500 logs."""
        files = max(8, int(500 * self.scale))
        return self.made("vpc8m", lambda path: self.generate("make_vpclogs.py", path, "--files", files))

    def lab(self):
        """The laboratory of 579 logs, and what an analyst must find in it."""
        folder = self.made("lab", lambda path: self.generate("make_vpc_lab.py", "--out", path))
        return folder / "20230928", json.loads((folder / "truth.json").read_text())
