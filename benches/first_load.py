#!/usr/bin/env python3
"""Loads a simulated tenant into an empty workspace, then runs a quiet cycle, and prints what both cost.

    cargo build --release --locked && python3 benches/first_load.py [--users 100000] [--groups 1000]

Everything runs on loopback: the simulator in a process of its own, each cycle in another, so that the peak memory is
that of the cycle alone. Requests are the simulator's own count. It ends with 1 where a figure is over its line.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

PORT = 18499
BASE = f"http://127.0.0.1:{PORT}"
SETTINGS = """
[daemon]
state = "{state}"

[jobs.load]
team_names = "suffix"
schedule = "every 40m"
target = "local"

[jobs.load.source.graph]
authority = "{base}"
root = "{base}"
tenant = "11111111-aaaa-4bbb-8ccc-000000000001"
client_id = "22222222-aaaa-4bbb-8ccc-000000000002"
secret = "env:SIMULATED_GRAPH"

[jobs.load.scope]
users.assigned_to = "33333333-aaaa-4bbb-8ccc-000000000003"
teams.all = true

[jobs.load.mapping]
preset = "cerby"

[targets.local.workspace]
name = "load"
"""


def cycle(binary, settings, *words):
    """One command in a process of its own: its output, and what it used."""
    began = time.monotonic()
    process = subprocess.Popen([binary, "-c", settings, *words], stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    return out, {
        "wall_s": round(time.monotonic() - began, 1),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_rss_mib": round(usage.ru_maxrss / 1024),
        "written_kib": usage.ru_oublock // 2,
    }


def counters():
    """Requests that the simulator has answered, by kind; the count starts over."""
    with urllib.request.urlopen(f"{BASE}/_control/counters") as answer:
        return json.load(answer)["requests"]


def since(now, before):
    return {kind: count - before.get(kind, 0) for kind, count in now.items() if count > before.get(kind, 0)}


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--users", type=int, default=100_000)
    options.add_argument("--groups", type=int, default=1_000)
    options.add_argument("--memberships", type=int, default=5)
    options.add_argument("--binary", default="target/release/rosterd")
    given = options.parse_args()
    os.environ["SIMULATED_GRAPH"] = "simulated-secret~not.a.secret"
    size = [f"--users={given.users}", f"--groups={given.groups}", f"--memberships={given.memberships}"]
    simulator = subprocess.Popen(
        [given.binary, "simulate", "graph", f"--listen=127.0.0.1:{PORT}", *size],
        stdout=subprocess.PIPE,
        text=True,
    )
    simulator.stdout.readline()
    with tempfile.TemporaryDirectory() as home:
        try:
            return measure(given, home)
        finally:
            simulator.send_signal(signal.SIGINT)
            simulator.wait()


def measure(given, home):
    settings = os.path.join(home, "rosterd.toml")
    with open(settings, "w", encoding="utf-8") as file:
        file.write(SETTINGS.format(state=os.path.join(home, "state.db"), base=BASE))
    out, read = cycle(given.binary, settings, "sync")
    print(out, end="")
    digest = re.search(r"--plan ([0-9a-f]{16})", out).group(1)
    enable = ["enable", "load", "--mode", "write", "--plan", digest, "--reason", "benchmark"]
    print(cycle(given.binary, settings, *enable)[0], end="")
    out, load = cycle(given.binary, settings, "sync")
    print(out, end="")
    cycle(given.binary, settings, "sync")  # settles the log of the load
    before = counters()
    out, quiet = cycle(given.binary, settings, "sync")
    print(out, end="")
    quiet["requests"] = since(counters(), before)
    for name, figures in [("first read and plan", read), ("load", load), ("quiet cycle", quiet)]:
        print(f"{name}: {json.dumps(figures)}")
    pages = -(-given.users // 999)
    lines = {
        "peak RSS of the load under 200 MiB": max(read["peak_rss_mib"], load["peak_rss_mib"]) < 200,
        "quiet cycle: two delta requests and one page of assignments for each 999": {
            kind: count for kind, count in quiet["requests"].items() if kind != "token"
        }
        == {"users_delta": 1, "groups_delta": 1, "assignments": pages},
        "quiet cycle writes under 100 KiB": quiet["written_kib"] < 100,
        "quiet cycle changes nothing": "0 written" in out,
    }
    for line, held in lines.items():
        print(f"{'ok  ' if held else 'OVER'}  {line}")
    return 0 if all(lines.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
