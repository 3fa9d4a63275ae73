#!/usr/bin/env python3
"""Lets twenty tenants push as Entra does while a job pulls into the workspace of one of them, and reads everything back.

    cargo build --release --locked && python3 benches/push_load.py [--tenants 20] [--rate 25] [--seconds 60]

Everything runs on loopback: the simulated directory, the daemon and these clients are processes of their own on the same
machine. It ends with 1 where a request failed, a write was lost, or the tenants could not be kept at their rate.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

SIMULATOR = 18498
SERVICE = 18497
PULLED = 3000
WALKERS = 4  # requests of one tenant that may be under way at once
SETTINGS = """
[daemon]
state = "{state}"
listen = "127.0.0.1:{service}"

[jobs.pull]
team_names = "suffix"
schedule = "every 10s"
target = "local"

[jobs.pull.source.graph]
authority = "http://127.0.0.1:{simulator}"
root = "http://127.0.0.1:{simulator}"
tenant = "11111111-aaaa-4bbb-8ccc-000000000001"
client_id = "22222222-aaaa-4bbb-8ccc-000000000002"
secret = "env:SIMULATED_GRAPH"

[jobs.pull.scope]
users.assigned_to = "33333333-aaaa-4bbb-8ccc-000000000003"

[jobs.pull.mapping]
preset = "cerby"

[targets.local.workspace]
name = "w0"
"""
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Connection:
    """One connection that is kept open, and one request at a time on it."""

    def __init__(self, token):
        self.token = token

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", SERVICE)
        return self

    async def send(self, method, path, body=None):
        content = json.dumps(body).encode() if body is not None else b""
        head = (
            f"{method} /scim/v2{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.token}\r\n"
            f"content-type: application/scim+json\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        self.writer.write(head.encode() + content)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"(?im)^content-length: (\d+)", answer)
        text = await self.reader.readexactly(int(length.group(1))) if length else b""
        return int(answer.split(" ", 2)[1]), json.loads(text) if text else None


class Tenant:
    """What one tenant sends, at its rate, and what must be there afterwards."""

    def __init__(self, name, token, rate, until):
        self.name, self.token, self.rate, self.until = name, token, rate, until
        self.next = time.monotonic()
        self.lag = 0.0
        self.times, self.failures, self.people = [], [], {}

    async def turn(self):
        """Waits for the next request that the rate allows; false when the time is over."""
        at = self.next
        self.next += 1 / self.rate
        now = time.monotonic()
        self.lag = max(self.lag, now - at)
        if now < at:
            await asyncio.sleep(at - now)
        return time.monotonic() < self.until

    async def ask(self, connection, expected, method, path, body=None):
        began = time.monotonic()
        status, answer = await connection.send(method, path, body)
        kind = f"{method} {path.split('?')[0].split('/')[1]}{' filter' if 'filter' in path else ''}"
        self.times.append((kind, time.monotonic() - began))
        if status != expected:
            self.failures.append((kind, status, answer))
        return answer

    async def run(self):
        first = await Connection(self.token).open()
        team = await self.ask(first, 201, "POST", "/Groups", {"displayName": "Everybody"})
        self.team = team["id"]
        walkers = [self.walk(await Connection(self.token).open(), number) for number in range(WALKERS)]
        await asyncio.gather(*walkers)

    async def walk(self, connection, number):
        person = number
        while await self.turn():
            name = f"p{person}@{self.name}.example"
            person += WALKERS
            wanted = urllib.parse.quote(f'userName eq "{name}"')
            await self.ask(connection, 200, "GET", f"/Users?filter={wanted}")
            await self.turn()
            body = {"userName": name, "externalId": name, "name": {"familyName": "Lee"}, "emails": [{"type": "work", "value": name}]}
            made = await self.ask(connection, 201, "POST", "/Users", body)
            if not made or "id" not in made:
                continue
            self.people[made["id"]] = {"userName": name}
            await self.turn()
            change = {"schemas": [PATCH], "Operations": [{"op": "Replace", "path": "title", "value": "Lead"}]}
            if await self.ask(connection, 200, "PATCH", f"/Users/{made['id']}", change):
                self.people[made["id"]]["title"] = "Lead"
            await self.turn()
            join = {"schemas": [PATCH], "Operations": [{"op": "Add", "path": "members", "value": [{"value": made["id"]}]}]}
            await self.ask(connection, 204, "PATCH", f"/Groups/{self.team}", join)
            self.people[made["id"]]["member"] = True
            await self.turn()
            await self.ask(connection, 200, "GET", f"/Users/{made['id']}")
            await self.turn()
            await self.ask(connection, 200, "GET", f"/Groups/{self.team}?excludedAttributes=members")

    async def lost(self):
        """What was acknowledged and is not there; and how many people there are."""
        connection = await Connection(self.token).open()
        there, cursor = {}, ""
        while cursor is not None:
            path = f"/Users?count=500&attributes=userName,title&cursor={cursor}"
            await asyncio.sleep(0.01)
            _, page = await connection.send("GET", path)
            there |= {user["id"]: user for user in page["Resources"]}
            cursor = page.get("nextCursor")
        _, team = await connection.send("GET", f"/Groups/{self.team}?attributes=members.value")
        members = {member["value"] for member in team.get("members", [])}
        lost = []
        for person, wanted in self.people.items():
            shown = there.get(person, {})
            lost += [(person, key) for key in ("userName", "title") if key in wanted and shown.get(key) != wanted[key]]
            lost += [(person, "member")] if wanted.get("member") and person not in members else []
        return lost, len(there)


def command(given, settings, *words):
    process = subprocess.run([given.binary, "-c", settings, *words], stdout=subprocess.PIPE, text=True, check=False)
    return process.stdout


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat", encoding="ascii").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def share(times, part):
    return f"{sorted(times)[min(len(times) - 1, int(len(times) * part))] * 1000:.1f} ms"


async def load(given, tokens, daemon):
    until = time.monotonic() + given.seconds
    tenants = [Tenant(name, token, given.rate, until) for name, token in tokens.items()]
    used = cpu_seconds(daemon)
    await asyncio.gather(*(tenant.run() for tenant in tenants))
    used = cpu_seconds(daemon) - used
    times = [one for tenant in tenants for one in tenant.times]
    for kind in sorted({kind for kind, _ in times}):
        own = [seconds for name, seconds in times if name == kind]
        print(f"{kind:20} {len(own):7}  p50 {share(own, 0.5)}  p99 {share(own, 0.99)}  longest {max(own) * 1000:.0f} ms")
    every = [seconds for _, seconds in times]
    rate = len(every) / given.seconds
    print(f"all {len(every)} requests, {rate:.0f} a second: p50 {share(every, 0.5)}  p99 {share(every, 0.99)}")
    print(f"CPU of the daemon: {used:.1f} s, {used / len(every) * 1e6:.0f} µs a request, the cycles of the job included")
    failures = [failure for tenant in tenants for failure in tenant.failures]
    for failure in failures[:5]:
        print(f"failed: {failure}")
    lost, people = [], {}
    for tenant in tenants:
        missing, people[tenant.name] = await tenant.lost()
        lost += missing
    pulled = people["w0"] - len(tenants[0].people)
    print(f"people: {sum(people.values())}, of whom the job wrote {pulled}; most behind: {max(t.lag for t in tenants):.2f} s")
    lines = {
        "no request failed": not failures,
        "no acknowledged write was lost": not lost,
        # Disabled people of the directory are never created.
        "the job wrote into the same workspace meanwhile": pulled > PULLED // 2,
        "every tenant kept its rate": rate >= 0.97 * given.rate * given.tenants,
    }
    for line, held in lines.items():
        print(f"{'ok  ' if held else 'OVER'}  {line}")
    return 0 if all(lines.values()) else 1


def listens():
    try:
        socket.create_connection(("127.0.0.1", SERVICE)).close()
        return True
    except OSError:
        return False


def measure(given, home):
    settings = os.path.join(home, "rosterd.toml")
    names = [f"w{number}" for number in range(given.tenants)]
    with open(settings, "w", encoding="utf-8") as file:
        file.write(SETTINGS.format(state=os.path.join(home, "state.db"), service=SERVICE, simulator=SIMULATOR))
        file.writelines(f"[workspaces.{name}]\n" for name in names)
    why = ["--reason", "benchmark"]
    tokens = {name: command(given, settings, "token", "create", "--workspace", name, *why).strip() for name in names}
    digest = re.search(r"--plan ([0-9a-f]{16})", command(given, settings, "sync")).group(1)
    command(given, settings, "enable", "pull", "--mode", "write", "--plan", digest, *why)
    daemon = subprocess.Popen([given.binary, "-c", settings, "--log", "warn", "run"])
    try:
        while not listens():
            time.sleep(0.05)
        return asyncio.run(load(given, tokens, daemon))
    finally:
        daemon.send_signal(signal.SIGINT)
        daemon.wait()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tenants", type=int, default=20)
    options.add_argument("--rate", type=float, default=25)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--binary", default="target/release/rosterd")
    given = options.parse_args()
    os.environ["SIMULATED_GRAPH"] = "simulated-secret~not.a.secret"
    size = [f"--users={PULLED}", "--groups=20", "--memberships=2"]
    simulator = subprocess.Popen(
        [given.binary, "simulate", "graph", f"--listen=127.0.0.1:{SIMULATOR}", *size], stdout=subprocess.PIPE, text=True
    )
    simulator.stdout.readline()
    with tempfile.TemporaryDirectory() as home:
        try:
            return measure(given, home)
        finally:
            simulator.send_signal(signal.SIGINT)
            simulator.wait()


if __name__ == "__main__":
    sys.exit(main())
