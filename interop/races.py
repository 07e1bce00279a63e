"""Two processes of the twin on one store, and many clients that use one session at once.

CARAFE_TWIN=target/release/examples/twin python interop/races.py --store sqlite:/tmp/sessions.db

With `memory` it is one process, else one is on axum and one on actix-web. Of what they write to their logs, at the level
of trace, nothing may be secret.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from checks import Checks
from differ.twins import FRAMEWORKS, on
from keepalive import Answer, Client

SETTINGS = {"FLASK_SECRET_KEY": "a key that both processes have"}
#: Users, whose names are long enough to be noticed in a log.
ADA, GRACE, LINUS = "ada-who-races", "grace-who-races", "linus-who-races"


class Races:
    """The checks of one store; `urls` are its servers."""

    def __init__(self, checks: Checks, store: str, urls: list[str]) -> None:
        self.checks = checks
        self.store = store
        self.urls = urls

    def check(self, name: str, passed: bool, detail: object = "") -> None:
        """One check, under the name of the kind of store."""
        self.checks.check(f"{self.store.split(':')[0]}: {name}", passed, detail)

    async def begin(self, ops: list[list[object]]) -> str:
        """A new session; its cookie."""
        async with Client(self.urls[0]) as client:
            answer = await client.run(ops)
        assert answer.status == 200 and answer.cookie, f"no session began: {answer}"
        return answer.cookie

    async def everywhere(self, cookie: str, ops: list[list[object]]) -> list[list[object]]:
        """The results on each server."""
        results = []
        for url in self.urls:
            async with Client(url) as client:
                results.append((await client.run(ops, cookie)).results)
        return results

    async def check_increments(self, clients: int, count: int) -> None:
        """Many clients count in one session."""
        cookie = await self.begin([["set", "n", 0], ["set", "private", "a secret-that-is-not-counted"]])
        numbers: list[int] = []
        refused: list[Answer] = []

        async def increment(url: str) -> None:
            async with Client(url) as client:
                for _ in range(count):
                    answer = await client.run([["incr", "n"]], cookie)
                    if answer.status == 200 and isinstance(answer.results[0], int):
                        numbers.append(answer.results[0])
                    else:
                        refused.append(answer)

        started = time.monotonic()
        await asyncio.gather(*(increment(self.urls[i % len(self.urls)]) for i in range(clients)))
        rate = clients * count / (time.monotonic() - started)
        print(f"       {self.store.split(':')[0]}: {rate:.0f} increments a second")
        total = clients * count
        self.check(f"{clients} clients count to {total}, no request is refused", not refused, refused[:3])
        self.check("each number is given once", sorted(numbers) == list(range(1, total + 1)), len(set(numbers)))
        left = await self.everywhere(cookie, [["get", "n"]])
        self.check("the last number is there, for every process", left == [[total]] * len(self.urls), left)

    async def check_keys(self, clients: int) -> None:
        """Each client sets a key of its own, at the same moment."""
        cookie = await self.begin([["set", "first", True]])

        async def insert(number: int) -> int:
            async with Client(self.urls[number % len(self.urls)]) as client:
                return (await client.run([["keys"], ["sleep_ms", 50], ["set", f"k{number}", number]], cookie)).status

        statuses = await asyncio.gather(*(insert(number) for number in range(clients)))
        self.check("keys set at once are taken", set(statuses) == {200}, statuses)
        expected = {"first": True} | {f"k{number}": number for number in range(clients)}
        left = await self.everywhere(cookie, [["items"]])
        self.check("all of them are there", left == [[expected]] * len(self.urls), left)

    async def check_logouts(self) -> None:
        """A request that is held open, on each process, while the session is ended on each."""
        writes = {"set": ["set", "ghost", 1], "count": ["incr", "ghost"], "log in": ["login", "eve-who-races"], "rotate": ["rotate"]}
        for held_on in self.urls:
            for ended_on in self.urls:
                for ending in ("logout", "logout_everywhere"):
                    for name, write in writes.items():
                        if name == "log in" and ending == "logout_everywhere":
                            # A login that is saved later than the end of all sessions is a new session.
                            continue
                        await self._logout_during(held_on, ended_on, ending, name, write)

    async def _logout_during(self, held_on: str, ended_on: str, ending: str, name: str, write: list[object]) -> None:
        cookie = await self.begin([["login", ADA], ["set", "private", "a secret-of-ada's"]])
        async with Client(held_on) as holder, Client(ended_on) as other:
            held = asyncio.create_task(holder.run([["get", "private"], ["sleep_ms", 150], write], cookie))
            await asyncio.sleep(0.05)
            ended = await other.run([[ending]], cookie)
            answer = await held
        where = "here" if held_on == ended_on else "in the other process"
        self.check(f"{ending} {where} is done while a request is under way", ended.status == 200, ended)
        # What is saved at once is refused at once, where the handler sees it.
        refused = answer.results[2] == {"error": "Ended"} if write[0] == "incr" and answer.status == 200 else answer.status == 409
        self.check(f"{ending} {where} beats a request that would {name}", refused and not answer.cookie, answer)
        left = await self.everywhere(cookie, [["items"]])
        self.check("nothing of it comes back", left == [[{}]] * len(self.urls), left)

    async def check_endings_from_elsewhere(self) -> None:
        """Two logins of a user: one lists and ends the other."""
        here = await self.begin([["login", GRACE], ["set", "at", "home-of-grace"]])
        there = await self.begin([["login", GRACE], ["set", "at", "work-of-grace"]])
        for url in self.urls:
            async with Client(url) as client:
                listed = (await client.run([["sessions"]], here)).results[0]
                ids = {entry["public_id"] for entry in listed}
                self.check("both sessions are listed", len(ids) == len(listed) == 2, listed)
        other = next(entry["public_id"] for entry in listed if not entry["current"])
        async with Client(self.urls[-1]) as client:
            self.check("one of them is ended", (await client.run([["revoke", other]], here)).results == [True])
        left = await self.everywhere(there, [["items"]])
        self.check("its cookie is dead, for every process", left == [[{}]] * len(self.urls), left)
        left = await self.everywhere(here, [["get", "at"]])
        self.check("the other one lives", left == [["home-of-grace"]] * len(self.urls), left)

    async def check_limit(self, refuses: bool) -> None:
        """64 logins of one user at the same moment."""
        logins = 64

        async def log_in(number: int) -> Answer:
            async with Client(self.urls[number % len(self.urls)]) as client:
                return await client.run([["login", LINUS], ["user"]])

        answers = await asyncio.gather(*(log_in(number) for number in range(logins)))
        refusal = [{"error": "TooManySessions"}, None]
        told = [answer.results == [None, LINUS] and bool(answer.cookie) for answer in answers]
        refused = [answer.results == refusal and not answer.cookie for answer in answers]
        expected = (3, logins - 3) if refuses else (logins, 0)
        kind = "refused" if refuses else "taken, and end others"
        counted = (sum(told), sum(refused))
        self.check(f"of {logins} logins at once, those beyond three are {kind}", counted == expected, counted)
        cookies = [answer.cookie for answer in answers if answer.cookie]
        for url in self.urls:
            async with Client(url) as client:
                users = [(await client.run([["user"]], cookie)).results[0] for cookie in cookies]
            self.check("three sessions are left, for every process", users.count(LINUS) == 3, users)
        alive = next(cookie for cookie, user in zip(cookies, users, strict=True) if user == LINUS)
        async with Client(self.urls[0]) as client:
            await client.run([["logout_everywhere"]], alive)


async def race(races: Races, clients: int) -> None:
    """All checks of a store, but for the long one."""
    await races.check_increments(clients, 10)
    await races.check_keys(clients)
    await races.check_logouts()
    await races.check_endings_from_elsewhere()


@contextmanager
def serve(checks: Checks, store: str, command: list[str]) -> Iterator[Races]:
    """The processes of a store, which end when they are told to."""
    with ExitStack() as running:
        servers = [on(framework, command, SETTINGS) for framework in FRAMEWORKS[: 1 if store == "memory" else 2]]
        for server in servers:
            running.callback(server.stop)
        yield Races(checks, store, [server.url for server in servers])
        for server in servers:
            checks.check("the server ends when told to", server.stop() == 0, server.log())


def main() -> int:
    """Races on each store; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", action="append", required=True, metavar="STORE", help="as the twin's; repeatable")
    parser.add_argument("--clients", type=int, default=64, metavar="N")
    parser.add_argument("--increments", type=int, default=1000, metavar="N", help="of each client")
    arguments = parser.parse_args()
    twin = os.environ.get("CARAFE_TWIN", "")
    if not twin:
        parser.error("name the twin: $CARAFE_TWIN")
    checks = Checks()
    for store in arguments.store:
        command = [*shlex.split(twin), "--listen", "127.0.0.1:0", "--store", store]
        with serve(checks, store, command) as races:
            asyncio.run(races.check_increments(arguments.clients, arguments.increments))
        # To log so much takes time, too much for many requests.
        with serve(checks, store, [*command, "--log", "trace"]) as races:
            asyncio.run(race(races, arguments.clients))
        for over in ("refuse", "end-oldest"):
            limited = [*command, "--max-sessions", "3", "--over-limit", over]
            with serve(checks, store, limited) as races:
                asyncio.run(races.check_limit(refuses=over == "refuse"))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
