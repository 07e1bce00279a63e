"""A Redis Cluster under load while its masters die or freeze, and while its slots move.

CARAFE_TWIN=target/release/examples/twin python interop/cluster_failover.py --rounds 10 --wait \\
    --node 'redis-server --port 7000 --cluster-port 7100 --cluster-announce-port 7200 ...' (six of them)

What a node sends to its replica arrives `--delay-ms` later. The twins are never restarted. What lives on the other
masters has to go on as if nothing had happened; what was on the one that died is a 503 until its replica has taken
over, and then goes on where it was. While slots move nothing at all is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import statistics
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field

from checks import Checks
from crashes import PATIENCE, SETTINGS, Crashes, Known, Story
from differ.twins import Server
from keepalive import Answer, Client
from redis_cluster import Cluster, Node, slot_of

CLIENTS = 16
#: The number of sessions that are counted in without a pause, on each master.
COUNTED = 3
#: The longest time of a request: on the master that died, and elsewhere, if this machine isn't busy.
SLOWEST = (4.0, 0.7)
#: A node that answers no `PING` for so long, though it is healthy, is held up by this machine.
STALLED = 0.4
#: The largest age of a write that a failover may lose.
WINDOW = 1.0
#: The number of slots that move at once.
MOVED = 300


@dataclass
class Counted:
    """A session that one client counts in, one request after the other."""

    cookie: str
    slot: int
    counted: int = 0
    asked: int = 0
    #: When which number was acknowledged.
    history: list[tuple[float, int]] = field(default_factory=list)
    #: When an answer came, whether it was refused, and how long it took.
    answers: list[tuple[float, bool, float]] = field(default_factory=list)

    def floor(self, story: Story) -> int:
        """The number that the next one has to exceed."""
        if not story.kills:
            return self.counted
        since = story.kills[-1] - story.window
        return next((number for at, number in reversed(self.history) if at < since), 0)

    def back_since(self, time_of_day: float) -> float | None:
        """When it was there again."""
        return next((at for at, refused, _ in self.answers if at >= time_of_day and not refused), None)


@dataclass
class Tally:
    """The results of all rounds."""

    kills: int = 0
    freezes: int = 0
    ended: int = 0
    lost: int = 0
    #: The slowest answers: of the master that died, of others, and without a session.
    slowest: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    outages: list[float] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    #: Answers that redirected, while slots moved.
    redirected: dict[str, int] = field(default_factory=dict)
    moves: int = 0


class ClusterFailovers(Crashes):
    """The clients, the twins, and the Cluster."""

    def __init__(self, twin: list[str], cluster: Cluster, waits: bool, seed: int) -> None:
        super().__init__(twin, cluster.url, None, seed)
        self.cluster, self.waits = cluster, waits
        self.story.window = WINDOW
        self.counted: list[Counted] = []
        self.tally = Tally()
        #: The silences of healthy nodes: the node, the time and the length.
        self.stalls: list[tuple[Node, float, float]] = []
        self.refusals: list[float] = []

    async def begin(self) -> None:
        """Starts everything."""
        await self.cluster.form()
        replicas = {"CARAFE_TWIN_REPLICAS": "1"} if self.waits else {}
        # To log more would hold up what has to be in time here.
        self.servers = [self.start(index, SETTINGS | replicas, "info") for index in range(2)]
        await self.recover()
        await self.spread()

    async def spread(self) -> dict[int, Node]:
        """Has sessions to count in on each master; the masters, by slot."""
        owners = await self.cluster.owners()
        masters = set(owners.values())
        async with Client(self.servers[0].url) as client:
            while lacking := [master for master in masters if len(self.on(master, owners)) < COUNTED]:
                answer = await client.run([["set", "n", 0], ["set", "name", "ada"]])
                counted = Counted(answer.cookie or "", slot_of(answer.cookie or ""))
                if owners[counted.slot] in lacking:
                    self.counted.append(counted)
        await self.cluster.in_step()
        return owners

    def on(self, master: Node, owners: dict[int, Node]) -> list[Counted]:
        """The sessions on a master that are counted in."""
        return [counted for counted in self.counted if owners[counted.slot] is master]

    def load(self, stop: asyncio.Event) -> list[asyncio.Task[None]]:
        """Visitors who log in and out, and clients that count, until told to stop."""
        visits = [asyncio.create_task(self.visit(number, stop)) for number in range(CLIENTS)]
        counts = [asyncio.create_task(self.count(counted, stop)) for counted in self.counted]
        looks = [asyncio.create_task(self.look(server, stop)) for server in self.servers]
        return visits + counts + looks + [asyncio.create_task(self.ping(node, stop)) for node in self.cluster.nodes]

    def is_done(self, answer: Answer) -> bool:
        """Whether a request was done, as for crashes; notes the time of a refusal."""
        done = super().is_done(answer)
        if not done:
            self.refusals.append(time.monotonic())
        return done

    async def ping(self, node: Node, stop: asyncio.Event) -> None:
        """Asks a node itself, as the twins would, and notes when that takes long."""
        while not stop.is_set():
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", node.announced)
                while not stop.is_set():
                    started = time.monotonic()
                    writer.write(b"PING\r\n")
                    await reader.readuntil(b"\n")
                    took = time.monotonic() - started
                    if took > STALLED:
                        self.stalls.append((node, started, took))
                    await asyncio.sleep(0.01)
                writer.close()
            await asyncio.sleep(0.05)

    def stalled(self, since: float, until: float, node: Node | None = None) -> float:
        """The time for which this node, or any, was silent by itself."""
        return sum(took for other, at, took in self.stalls if node in (None, other) and at < until and at + took > since)

    async def look(self, server: Server, stop: asyncio.Event) -> None:
        """Routes without a session are answered, and at once."""
        async with Client(server.url) as client:
            while not stop.is_set():
                started = time.monotonic()
                plain = await client.send("GET", "/plain")
                if plain.status != 200:
                    self.story.complain("a route without a session fails with the store", plain)
                self.tally.slowest[2] = max(self.tally.slowest[2], time.monotonic() - started)
                await asyncio.sleep(0.005)

    async def count(self, counted: Counted, stop: asyncio.Event) -> None:
        """Counts in one session."""
        async with Client(self.servers[counted.slot % 2].url) as client:
            while not stop.is_set():
                started = time.monotonic()
                counted.asked += 1
                answer = await client.run([["get", "name"], ["incr", "n"]], counted.cookie)
                now, done = time.monotonic(), self.is_done(answer)
                if done:
                    self.compare(counted, answer, now)
                elif answer.cookie is not None:
                    self.story.complain("a cookie is changed while the session's master is down", answer)
                counted.answers.append((now, not done, now - started))
                await asyncio.sleep(0.005)

    def compare(self, counted: Counted, answer: Answer, now: float) -> None:
        """Compares a number with what it may be."""
        name, number = answer.results
        if name != "ada" or not counted.floor(self.story) < number <= counted.asked:
            self.story.complain(f"after {counted.counted} of {counted.asked} came another number", answer)
        self.tally.lost += max(0, counted.counted + 1 - number)
        counted.counted = counted.asked = number
        counted.history.append((now, number))

    async def fail(self, freezes: bool) -> None:
        """One failover, in the midst of load."""
        owners = await self.spread()
        victim = self.random.choice(sorted(set(owners.values()), key=lambda node: node.port))
        replica = await self.cluster.replica_of(victim)
        theirs = self.on(victim, owners)
        stop = asyncio.Event()
        load = self.load(stop)
        await asyncio.sleep(self.random.uniform(0.3, 1))
        if freezes:
            victim.freeze()
        else:
            victim.kill()
        died = time.monotonic()
        self.story.kills.append(died)

        async def has_taken_over() -> bool:
            return (await replica.info("INFO replication"))["role"] == "master"

        await self.cluster.until(has_taken_over, "no replica takes over")
        taken_over = time.monotonic()
        while any(counted.back_since(taken_over) is None for counted in theirs):
            if time.monotonic() > taken_over + PATIENCE:
                self.story.complain("the sessions of a master that died don't come back")
                break
            await asyncio.sleep(0.01)
        # The old one comes back under load, and may still take itself for a master.
        if freezes:
            victim.thaw()
        else:
            await victim.revive()
        await asyncio.sleep(2)
        stop.set()
        await asyncio.gather(*load)
        self.tally.kills += not freezes
        self.tally.freezes += freezes
        self.tally.outages.append(taken_over - died)
        self.tally.recoveries += [at - taken_over for counted in theirs if (at := counted.back_since(taken_over))]
        self.check_answers(died, theirs, owners)
        await self.recover()
        await self.cluster.in_step()
        await self.check_sessions(self.story.sessions)
        self.story.sessions.clear()

    def check_answers(self, died: float, theirs: list[Counted], owners: dict[int, Node]) -> None:
        """The other masters' sessions were never refused; no request waited for long."""
        for counted in self.counted:
            dead, owner = counted in theirs, owners[counted.slot]
            if dead and not any(refused for at, refused, _ in counted.answers if at >= died):
                self.story.complain("a session was there although its master was not")
            for at, refused, took in counted.answers:
                if not dead:
                    took -= self.stalled(at - took, at, owner)
                    if refused and not self.stalled(at - SLOWEST[0], at, owner):
                        self.story.complain("a request for a session of another master was refused")
                self.tally.slowest[not dead] = max(self.tally.slowest[not dead], took)
                if took > SLOWEST[not dead] + self.tally.slowest[2]:
                    self.story.complain(f"a request took {took:.1f} s")
            counted.answers.clear()

    async def check_sessions(self, sessions: list[Known]) -> None:
        """Checks as after crashes. An ending that a replica knows of must not be lost."""
        for known in sessions:
            self.tally.ended += known.ended
            if known.ended and self.waits:
                known.changes.clear()
        await super().check_sessions(sessions)

    async def reshard(self, seconds: float) -> None:
        """Slots move to and fro in the midst of load, the counted sessions' slots among them."""
        kinds = ("ASK", "MOVED")
        before = {kind: await self.cluster.errors(kind) for kind in kinds}
        self.refusals.clear()
        stop = asyncio.Event()
        load = self.load(stop)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            owners = await self.cluster.owners()
            masters = sorted(set(owners.values()), key=lambda node: node.port)
            source, target = self.random.sample(masters, 2)
            # A row of slots, as an operator takes them, around one of the counted sessions.
            has = sorted(slot for slot, owner in owners.items() if owner is source)
            middle = self.random.choice([counted.slot for counted in self.on(source, owners)] or has)
            first = max(0, has.index(middle) - self.random.randrange(MOVED))
            slots = has[first : first + MOVED]
            await self.cluster.move(slots, source, target, self.random.uniform(0, 0.3))
            self.tally.moves += len(slots)
        stop.set()
        await asyncio.gather(*load)
        self.tally.redirected = {kind: await self.cluster.errors(kind) - before[kind] for kind in kinds}
        refused = [at for at in self.refusals if not self.stalled(at - SLOWEST[0], at)]
        if refused:
            self.story.complain(f"{len(refused)} requests were refused while slots moved")
        for counted in self.counted:
            counted.answers.clear()
        await self.check_sessions(self.story.sessions)
        self.story.sessions.clear()

    async def check_ending_on_the_way(self) -> None:
        """A session whose slot is half moved is ended, and the target's replica doesn't hear of it."""
        await self.cluster.in_step()
        owners = await self.cluster.owners()
        async with Client(self.servers[0].url) as client:
            cookie = (await client.run([["login", "ada"]])).cookie or ""
            slot = slot_of(cookie)
            source = owners[slot]
            target = next(owner for owner in owners.values() if owner is not source)
            replica = await self.cluster.replica_of(target)
            await self.cluster.in_step()
            await self.cluster.begin_move([slot], source, target)
            await self.cluster.move_keys([slot], source, target)
            replica.freeze()
            answer = await client.run([["logout"]], cookie)
            if answer.status != 503:
                self.story.complain("an ending that no replica knows of is acknowledged while its slot moves", answer)
            replica.thaw()
            await self.cluster.end_move([slot], source, target)
        await self.cluster.in_step()


async def run(failovers: ClusterFailovers, arguments: argparse.Namespace) -> None:
    """All of it."""
    try:
        await failovers.begin()
        if arguments.reshard_seconds:
            await failovers.reshard(arguments.reshard_seconds)
            if arguments.wait:
                await failovers.check_ending_on_the_way()
        for number in range(arguments.rounds):
            # What freezes loses nothing that it has sent.
            await failovers.fail(number % 2 == 1 and not arguments.expect_loss)
    finally:
        for server in failovers.servers:
            server.stop()
        failovers.cluster.stop()


def report(checks: Checks, failovers: ClusterFailovers, arguments: argparse.Namespace) -> None:
    """Says what was seen, and checks it."""
    tally, story = failovers.tally, failovers.story
    waits = "that is waited for" if arguments.wait else "that no write waits for"
    place = f"Cluster, replicas {arguments.delay_ms:g} ms away {waits}"
    if arguments.reshard_seconds:
        print(f"       {place}: {tally.moves} times a slot moved, {tally.redirected} redirections")
        checks.check("slots moved under load", tally.moves > 0 and all(tally.redirected.values()), tally.redirected)
    if arguments.rounds:
        print(
            f"       {place}: {tally.kills} masters killed and {tally.freezes} frozen, "
            f"{story.acknowledged} answers, {story.unavailable} refused, {tally.ended} sessions ended, {story.back} back, "
            f"{tally.lost} counts lost, {len(story.excused)} sessions changed; "
            f"without a master for {statistics.median(tally.outages):.1f} s (at most {max(tally.outages):.1f} s), then back "
            f"after {statistics.median(tally.recoveries) * 1000:.0f} ms (at most {max(tally.recoveries) * 1000:.0f} ms); the slowest answer "
            f"took {tally.slowest[0]:.1f} s, {tally.slowest[1]:.1f} s elsewhere, and {tally.slowest[2]:.1f} s without a session; {len(failovers.stalls) - tally.freezes} times another node stalled"
        )
    checks.check("there was something to lose", story.acknowledged > 100 and tally.ended > 0, tally)
    if arguments.expect_loss:
        checks.check("what the replicas didn't know of is noticed", story.back + tally.lost > 0, tally)
    checks.check("no more is lost or refused than has to be", not story.wrong, "\n       ".join(story.wrong[:10]))
    if arguments.wait:
        checks.check("no session that was ended is back", story.back == 0, tally)


def main() -> int:
    """Runs; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--node", action="append", required=True, metavar="COMMAND", help="starts one, in the foreground")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="failovers")
    parser.add_argument("--reshard-seconds", type=float, default=0, metavar="S", help="how long slots move before that")
    parser.add_argument("--delay-ms", type=float, default=1, metavar="N", help="from a master to its replica")
    parser.add_argument("--wait", action="store_true", help="a replica has to know of a logout; then none may be back")
    parser.add_argument("--expect-loss", action="store_true", help="fail if nothing is lost: shows that this notices")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    twin = os.environ.get("CARAFE_TWIN", "")
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    cluster = Cluster([shlex.split(node) for node in arguments.node], arguments.delay_ms / 1000)
    failovers = ClusterFailovers(shlex.split(twin), cluster, arguments.wait, arguments.seed)
    asyncio.run(run(failovers, arguments))
    checks = Checks()
    report(checks, failovers, arguments)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
