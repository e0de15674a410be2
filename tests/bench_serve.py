"""Measures `halbox serve` with thousands of simulated BMCs: bench_serve.py HALBOX [COUNT [RUNS]] [--check | --ipmi | --half | --odd]

The simulators are processes of their own on loopback. Times are printed, none is asserted; that every row is right, no session
is left open and no account is locked is asserted always. --check: one run of the mix with slow and silent BMCs, nothing else; --ipmi, --half: one
run over IPMI, or half over Redfish; --odd: only the comparison of fleets with and without those BMCs.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

WORDS = [w for w in sys.argv[1:] if not w.startswith("--")]
HALBOX, COUNT, RUNS = WORDS[0], int(WORDS[1]) if len(WORDS) > 1 else 10_000, int(WORDS[2]) if len(WORDS) > 2 else 5
CHECK = "--check" in sys.argv
LATE = 20  # BMCs whose lease comes later, one by one
# A run of its own addresses, so that two at a time do not meet.
NET = 20 + os.getpid() % 90 * 2
PORT, REDFISH = 6230, 8443
TICKS = os.sysconf("SC_CLK_TCK")
ENV = {k: v for k, v in os.environ.items() if not k.startswith("HALBOX_")} | {"HALBOX_LOG": "warn"}


def fail(words):
    sys.exit(f"bench-serve: {words}")


def cpu(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid, name):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name + ":")) / 1024


class Sim:
    def __init__(self, work, net, count, *options):
        self.count, self.net = count, net
        self.process = subprocess.Popen(
            [HALBOX, "sim", "--count", str(count), "--listen", f"127.{net}.0.1", "--port", str(PORT), "--lockout", "3",
             "--password-file", f"{work}/password", "--control", f"{work}/sim{net}", "--pace", "100000", *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENV, text=True)
        self.control = json.loads(self.process.stdout.readline())["control"]
        self.macs = [f"ac:1f:{net:02x}:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}" for n in range(1, count + 1)]
        self.addresses = [f"127.{net + (n >> 16)}.{n >> 8 & 255}.{n & 255}" for n in range(1, count + 1)]

    def ask(self, *words):
        out = subprocess.run([HALBOX, "sim", "--control", self.control, *words], capture_output=True, env=ENV, check=True)
        return json.loads(out.stdout)

    def total(self):
        total = self.ask("total")
        return total.get("total", total)

    def leases(self):
        return [f"4102444800 {mac} {ip} * *\n" for mac, ip in zip(self.macs, self.addresses)]


class Daemon:
    def __init__(self, work, sims):
        self.work, self.sims, self.rows, self.drivers, self.read = work, sims, {}, {}, {}
        self.changed = threading.Condition()
        os.makedirs(f"{work}/dhcp")
        self.server = f"unix://{work}/halbox.sock"
        self.env = ENV | {"HALBOX_SERVER": self.server}
        self.log = open(f"{work}/log", "w")
        self.process = subprocess.Popen(
            [HALBOX, "serve", "--state-dir", f"{work}/state", "--socket", f"{work}/halbox.sock", "--lease-file",
             f"{work}/dhcp/leases", "--ipmi-port", str(PORT), "--redfish-port", str(REDFISH), "--refresh", "1h"],
            env=ENV, stdout=subprocess.DEVNULL, stderr=self.log)
        while not os.path.exists(f"{work}/halbox.sock"):
            if self.process.poll() is not None:
                fail(f"serve ended: {open(f'{work}/log').read()}")
            time.sleep(0.01)
        self.watching = subprocess.Popen([HALBOX, "bmc", "watch", "-o", "json"], env=self.env, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        for line in self.watching.stdout:
            event = json.loads(line)
            mac, row, now = event.get("mac"), event.get("bmc"), time.monotonic()
            if not mac or not row:
                continue
            with self.changed:
                self.rows[mac] = row
                if row.get("drivers"):
                    self.drivers.setdefault(mac, now)
                if (row.get("status") or {}).get("last_error") is None and (row.get("powermetric") or {}).get("powerstate") == "ON":
                    self.read.setdefault(mac, now)
                self.changed.notify_all()

    def wait(self, what, macs, patience):
        end = time.monotonic() + patience
        with self.changed:
            while any(mac not in what for mac in macs) if len(what) >= len(macs) else True:
                left = end - time.monotonic()
                if left <= 0:
                    missing = [mac for mac in macs if mac not in what]
                    if not missing:
                        return
                    tail = open(f"{self.work}/log").read()[-2000:]
                    fail(f"{len(missing)} rows are not as wanted, e.g. {self.rows.get(missing[0])}\n{tail}")
                self.changed.wait(min(left, 1))

    def lease(self, lines):
        with open(f"{self.work}/dhcp/new", "w") as file:
            file.writelines(lines)
        os.rename(f"{self.work}/dhcp/new", f"{self.work}/dhcp/leases")

    def bmc(self, *words):
        out = subprocess.run([HALBOX, "bmc", *words], env=self.env, capture_output=True, text=True)
        if out.returncode:
            fail(f"bmc {words[0]}: exit {out.returncode}: {out.stderr[-500:]}")
        return out.stdout

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.watching.terminate()
        self.watching.wait()


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))] if values else 0


def run(title, count, half, odd):
    """One life of a daemon; the seconds in which the rows of the BMCs that are as they should be had their inventory."""
    work = tempfile.mkdtemp(prefix="halbox-bench-")
    sims, daemon = [], None
    with open(f"{work}/password", "w") as file:
        file.write("bench-Secret1\n")
    try:
        first = count // 2 if half else count
        sims = [Sim(work, NET, first)]
        if half:
            sims.append(Sim(work, NET + 1, count - first, "--redfish-port", str(REDFISH)))
        daemon = Daemon(work, sims)
        lines = [line for sim in sims for line in sim.leases()]
        macs = [mac for sim in sims for mac in sim.macs]
        late = min(LATE, len(lines) // 10)
        before, begun = [cpu(s.process.pid) for s in sims], time.monotonic()
        own = cpu(daemon.process.pid)
        daemon.lease(lines[:-late])
        daemon.wait(daemon.drivers, macs[:-late], 300)
        found = time.monotonic() - begun
        share = (sum(cpu(s.process.pid) for s in sims) - sum(before)) / found
        print(f"{title}: {count} leases -> rows with drivers {found:.1f} s; CPU: simulator {share:.0%}, "
              f"daemon {(cpu(daemon.process.pid) - own) / found:.0%}; daemon {memory(daemon.process.pid, 'VmRSS'):.0f} MiB", flush=True)
        single = []
        for n in range(late, 0, -1):
            begun = time.monotonic()
            daemon.lease(lines[:len(lines) - n + 1])
            daemon.wait(daemon.drivers, macs[:len(macs) - n + 1], 60)
            single.append(daemon.drivers[macs[len(macs) - n]] - begun)
        print(f"{title}: one more lease line -> row with drivers: median {statistics.median(single) * 1000:.0f} ms, "
              f"most {max(single) * 1000:.0f} ms", flush=True)
        wrong = set()
        if odd:
            for sim in sims:
                for n in range(sim.count):
                    if n % 100 == 7:
                        sim.ask(json.dumps({"do": "set", "bmc": n, "unresponsive": True}))
                    elif n % 20 == 3:
                        sim.ask(json.dumps({"do": "set", "bmc": n, "slow_ms": 1500}))
                    else:
                        continue
                    wrong.add(sim.macs[n])
        good = [mac for mac in macs if mac not in wrong]
        before, begun = [cpu(s.process.pid) for s in sims], time.monotonic()
        own = cpu(daemon.process.pid)
        password = ["--ipmi-password-file", f"{work}/password"]
        chunk = 2000
        for sim in sims:
            user = ["--ipmi-user", "admin", *password]
            if sim is not sims[0]:
                user = ["--redfish-user", "admin", "--redfish-password-file", f"{work}/password"]
            for at in range(0, sim.count, chunk):
                daemon.bmc("update", "-y", *user, *sim.macs[at:at + chunk])
        said = time.monotonic() - begun
        daemon.wait(daemon.read, good, 900)
        took = time.monotonic() - begun
        share = (sum(cpu(s.process.pid) for s in sims) - sum(before)) / took
        times = [daemon.read[mac] - begun for mac in good]
        print(f"{title}: credentials said {said:.1f} s, full inventory {took:.1f} s (p99 of the good {percentile(times, .99):.1f} s); "
              f"CPU: simulator {share:.0%}, daemon {(cpu(daemon.process.pid) - own) / took:.0%}; daemon "
              f"{memory(daemon.process.pid, 'VmRSS'):.0f} MiB, most {memory(daemon.process.pid, 'VmHWM'):.0f} MiB", flush=True)
        for mac in good:
            row = daemon.rows[mac]
            # Two simulators number the MACs of their BMCs alike, and the daemon says so.
            odd_words = [w for w in row.get("warnings") or [] if not (half and w.startswith("conflict"))]
            if not row["drivers"] or not row.get("machine_id") or not row.get("vendor") or odd_words:
                fail(f"a row that is not right: {row}")
        if len(daemon.rows) != count:
            fail(f"{len(daemon.rows)} rows of {count}")
        for sim in sims:  # those that answer again must be able to take the end of their sessions
            sim.ask(json.dumps({"do": "set", "unresponsive": False, "slow_ms": 0}))
        daemon.stop()
        end = time.monotonic() + 30
        while True:
            totals = [sim.total() for sim in sims]
            names = ("sessions_open", "sessions_expired", "redfish_sessions_open", "redfish_sessions_expired", "lockouts", "failed_logins")
            sums = {name: sum(total[name] for total in totals) for name in names}
            if not sums["sessions_open"] or time.monotonic() > end:
                break
            time.sleep(0.1)
        print(f"{title}: ledger: {sums}", flush=True)
        if any(value for name, value in sums.items() if not odd or name != "sessions_expired"):
            fail(f"left behind: {sums}")
        return percentile(times, .99)
    finally:
        for process in [s.process for s in sims] + ([daemon.process, daemon.watching] if daemon else []):
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(work, ignore_errors=True)


def main():
    if CHECK:
        run("mix", COUNT, True, True)
        print("bench-serve: all right")
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; others on this machine make every time longer")
    only = {"--ipmi", "--half", "--odd"} & set(sys.argv)
    if not only or "--ipmi" in only:
        run("IPMI", COUNT, False, False)
    if not only or "--half" in only:
        run("half Redfish", COUNT, True, False)
    if only and "--odd" not in only:
        return
    plain, mixed = [], []
    for n in range(RUNS):
        plain.append(run(f"all good {n + 1}", COUNT // 5, False, False))
        mixed.append(run(f"6 % odd {n + 1}", COUNT // 5, False, True))
    if RUNS:
        print(f"p99 of the good: {statistics.median(plain):.1f} s alone, {statistics.median(mixed):.1f} s beside 1 % silent and 5 % slow "
              f"(medians of {RUNS}), ratio {statistics.median(mixed) / statistics.median(plain):.2f}")


main()
