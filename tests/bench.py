"""Measures halbox beside its peers on this machine, all against `halbox sim` in a process of its own.

Rounds are interleaved (one of each peer per round), so that noise hits all alike; medians and ratios are printed.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HALBOX, ROUNDS = sys.argv[1], int(sys.argv[2])
PORT, USER, PASSWORD = 6230, "admin", "bench-secret"
ENV = {**os.environ, "HALBOX_PASSWORD": PASSWORD, "IPMI_PASSWORD": PASSWORD, "HALBOX_LOG": "error"}


def find(tool):
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin")


class Sim:
    """`halbox sim` with `count` BMCs; ends with the `with` block."""

    def __init__(self, work, count, *options):
        self.args = [HALBOX, "sim", "--count", str(count), "--listen", "127.1.0.1", "--port", str(PORT),
                     "--user", USER, "--password-file", f"{work}/password", "--control", f"{work}/control", *options]

    def __enter__(self):
        self.process = subprocess.Popen(self.args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENV, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def rss_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def open_sessions(self):
        ledger = subprocess.run([HALBOX, "sim", "--control", self.ready["control"], "ledger"], capture_output=True, env=ENV)
        bmcs = json.loads(ledger.stdout)
        bmcs = bmcs.get("bmcs", bmcs) if isinstance(bmcs, dict) else bmcs
        return sum(b["sessions_open"] for b in bmcs)


def run(args, expect=None):
    """Wall seconds, peak MiB and stdout of one command."""
    start = time.monotonic()
    process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV, text=True)
    out, err = process.communicate()
    wall = time.monotonic() - start
    if process.returncode != 0:
        print(f"  {os.path.basename(args[0])}: exit {process.returncode}: {err.strip().splitlines()[:2]}")
    if expect is not None:
        got = sum(expect in line for line in out.splitlines())
        return wall, out, got
    return wall, out, None


def compare(title, peers, expect, rounds=ROUNDS):
    """Interleaved rounds of `peers` (name -> argv); the first is the one that the ratios are of."""
    times = {name: [] for name in peers}
    counts = {}
    for _ in range(rounds):
        for name, args in peers.items():
            wall, _, got = run(args, expect)
            times[name].append(wall)
            counts[name] = got
    print(title)
    own = statistics.median(next(iter(times.values())))
    for name, walls in times.items():
        median = statistics.median(walls)
        print(f"  {name:28} median {median * 1000:9.1f} ms  min {min(walls) * 1000:9.1f} ms"
              f"  answers {counts[name]}  halbox/this {own / median:5.2f}")


def halbox(target, *command, options=()):
    return [HALBOX, "bmc", "--address", target, "--ipmi-port", str(PORT), "-U", USER, *options, *command]


def addresses(count):
    return [f"127.{1 + (i >> 16)}.{i >> 8 & 255}.{i & 255}" for i in range(1, count + 1)]


def freeipmi(hosts):
    tool = find("ipmipower")
    if not tool:
        return {}
    return {"ipmipower -I 3": [tool, "-D", "LAN_2_0", "-I", "3", "-u", USER, "-p", PASSWORD, "-h", hosts, "--stat"]}


def ipmitool(host):
    tool = find("ipmitool")
    if not tool:
        return {}
    return {"ipmitool -C 3": [tool, "-I", "lanplus", "-C", "3", "-H", host, "-p", str(PORT), "-U", USER, "-E",
                              "chassis", "power", "status"]}


def main():
    with tempfile.TemporaryDirectory() as work:
        ENV["XDG_CACHE_HOME"] = f"{work}/cache"
        with open(f"{work}/password", "w") as file:
            file.write(PASSWORD)
        with Sim(work, 1):
            compare("one power status", {
                "halbox -C 3": halbox("127.1.0.1", "power", "status", options=["-C", "3"]),
                "halbox -C 17": halbox("127.1.0.1", "power", "status", options=["-C", "17"]),
                **freeipmi(f"127.1.0.1:{PORT}"), **ipmitool("127.1.0.1")}, "")
        with Sim(work, 500):
            compare("500 x power status", {
                "halbox -C 3": halbox("127.1.0.1-127.1.1.244", "power", "status", options=["-C", "3", "--fanout", "500"]),
                **freeipmi(",".join(f"{a}:{PORT}" for a in addresses(500)))}, "127.1.", rounds=max(3, ROUNDS // 3))
        with Sim(work, 10_000) as sim:
            print(f"10,000 BMCs (simulator: {sim.rss_mib():.0f} MiB)")
            whole = "127.1.0.1-127.1.39.16"
            for title, args in {
                "power status": halbox(whole, "power", "status", options=["--fanout", "1000"]),
                "power status, again": halbox(whole, "power", "status", options=["--fanout", "1000"]),
                "probe": [HALBOX, "probe", whole, "--ipmi-port", str(PORT), "--redfish-port", "1"],
            }.items():
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                wall, _, got = run(args, "127.1.")
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                print(f"  {title:28} {wall:6.2f} s  cpu {cpu:5.2f} s  answers {got}"
                      f"  largest child so far {after.ru_maxrss / 1024:.0f} MiB")
            time.sleep(1)
            print(f"  sessions left open: {sim.open_sessions()}")
        with Sim(work, 10_000, "--loss", "0.05") as sim:
            wall, out, _ = run(halbox("127.1.0.1-127.1.39.16", "power", "status", "-o", "json",
                                      options=["--fanout", "1000", "--timeout", "30s"]))
            results = json.loads(out)["results"]
            wrong = sum(r["ok"] and r["value"] != "ON" and r["value"] != "OFF" for r in results)
            failed = sum(not r["ok"] for r in results)
            print(f"10,000 BMCs, 5 % loss each way: {wall:.2f} s, {len(results)} results, {wrong} wrong, {failed} failed")


main()
