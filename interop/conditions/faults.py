"""The faults of each kind of store."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from differ.twins import Server
from keepalive import Client, Lost

if TYPE_CHECKING:
    from conditions.__main__ import Conditions

#: The length of a fault: longer than a call of the store may take.
LASTS = 2.6
DAY = 86_400


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, until it returns."""

    name: str
    run: Callable[[Conditions], Awaitable[None]]
    #: Whether the store can't answer while it lasts, or a process can't ask.
    refuses: bool = True
    #: Whether the twins themselves end, and are started again.
    restarts: bool = False
    #: Whether nothing may be changed meanwhile.
    rests: bool = False


async def pause_server(of: Conditions) -> None:
    """The server gets no time."""
    assert of.server
    of.server.signal_all(signal.SIGSTOP)
    await asyncio.sleep(LASTS)
    of.server.signal_all(signal.SIGCONT)


async def kill_server(of: Conditions) -> None:
    """The server is killed, and started again."""
    assert of.server
    of.server.kill()
    await asyncio.sleep(0.5)
    of.server.start()
    await of.server.ready()


async def cut(of: Conditions) -> None:
    """Every connection ends, and there is no new one."""
    assert of.network
    of.network.cut()
    await asyncio.sleep(0.7)
    of.network.restore()


async def silence(of: Conditions) -> None:
    """Nothing comes through any more, and no connection ends."""
    assert of.network
    of.network.silence()
    await asyncio.sleep(LASTS)
    of.network.restore()


async def slow(of: Conditions) -> None:
    """Each answer takes its time, and none too long."""
    assert of.network
    of.network.delay = 0.04
    await asyncio.sleep(2)
    of.network.restore()


async def read_only(of: Conditions) -> None:
    """The server reads, and writes nothing."""
    assert of.server
    if of.server.is_redis:
        await of.server.redis("REPLICAOF 127.0.0.1 1")
        await asyncio.sleep(1)
        return await of.server.redis("REPLICAOF NO ONE")
    await of.server.sql("ALTER DATABASE postgres SET default_transaction_read_only = on")
    # Connections that are there have the setting of before.
    others = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
    await of.server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    await asyncio.sleep(1)
    await of.server.sql("ALTER DATABASE postgres RESET default_transaction_read_only")


async def full_redis(of: Conditions) -> None:
    """Redis may take no more memory."""
    assert of.server
    await of.server.redis("CONFIG SET maxmemory-policy noeviction", "CONFIG SET maxmemory 1")
    await asyncio.sleep(1)
    await of.server.redis("CONFIG SET maxmemory 0")


async def evict(of: Conditions) -> None:
    """Redis removes sessions to make room: what there was may end, and what had ended stays so."""
    assert of.server
    bytes_less = await of.server.used_memory() - 20_000
    await of.server.redis("CONFIG SET maxmemory-policy volatile-lru", f"CONFIG SET maxmemory {bytes_less}")
    await asyncio.sleep(1)
    await of.server.redis("CONFIG SET maxmemory 0", "CONFIG SET maxmemory-policy noeviction")
    of.evicted()


async def lock_table(of: Conditions) -> None:
    """Another connection has locked the table, as some migrations do."""
    assert of.server
    lock = "LOCK TABLE carafe_sessions IN ACCESS EXCLUSIVE MODE"
    await of.server.sql(f"BEGIN; {lock}; SELECT pg_sleep({LASTS}); COMMIT")


async def clock_ahead(of: Conditions) -> None:
    """One more process, whose clock is 400 days ahead, serves visitors and sweeps."""
    ahead = of.start_ahead(400 * DAY)
    try:
        async with Client(ahead.url) as client:
            for _ in range(20):
                await client.run([["login", "user-of-another-time"], ["set", "a", 1]])
                await asyncio.sleep(0.05)
    finally:
        ahead.stop()


async def pause_twin(of: Conditions) -> None:
    """One of the processes gets no time, in the midst of what it does."""
    paused: Server = of.servers[0]
    os.kill(paused.pid, signal.SIGSTOP)
    await asyncio.sleep(1.5)
    os.kill(paused.pid, signal.SIGCONT)


async def kill_twin(of: Conditions) -> None:
    """One of the processes is killed, and started again."""
    index = of.random.randrange(2)
    os.kill(of.servers[index].pid, signal.SIGKILL)
    of.servers[index].stop()
    of.servers[index] = of.start(index, log="error")


def file_of(of: Conditions) -> Path:
    """The file of SQLite."""
    return Path(of.store.split(":", 1)[1])


async def lock_file(of: Conditions) -> None:
    """Another program keeps the file locked."""
    connection = sqlite3.connect(file_of(of), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(LASTS)
    connection.execute("ROLLBACK")
    connection.close()


async def slow_file(of: Conditions) -> None:
    """Another program takes the file again and again, never for long."""
    connection = sqlite3.connect(file_of(of), isolation_level=None)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        connection.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(0.05)
        connection.execute("ROLLBACK")
        await asyncio.sleep(0.05)
    connection.close()


async def replace_file(of: Conditions) -> None:
    """A backup takes the file's place while the processes run."""
    file, backup = file_of(of), file_of(of).with_suffix(".backup")
    backup.unlink(missing_ok=True)
    connection = sqlite3.connect(file)
    connection.execute("VACUUM INTO ?", (str(backup),))
    connection.close()
    shutil.copymode(file, backup)
    for part in ("-wal", "-shm"):
        file.with_name(file.name + part).unlink(missing_ok=True)
    backup.replace(file)


async def remove_file(of: Conditions) -> None:
    """The file is gone for a while under the load, and comes back: what is acknowledged meanwhile is in another."""
    file = file_of(of)
    names = [file.with_name(file.name + part) for part in ("", "-wal", "-shm")]
    aside = file.parent / "aside"
    aside.mkdir(exist_ok=True)
    moved = [(name, aside / name.name) for name in names if name.exists()]
    for name, to in moved:
        name.rename(to)
    for server in of.distinct():
        async with Client(server.url) as client:
            try:
                await client.run([["set", "a", 1]])
            except Lost:
                of.story.complain("a process ends with its file")
    for name in names:
        name.unlink(missing_ok=True)
    for name, to in moved:
        to.rename(name)


#: By its own clock, what it had asked before comes too late.
PAUSED = Fault("a process paused", pause_twin)
KILLED = Fault("a process killed", kill_twin, refuses=False, restarts=True)
AHEAD = Fault("a clock ahead", clock_ahead, refuses=False)
NETWORK = [
    Fault("the server paused", pause_server),
    Fault("the server killed", kill_server),
    Fault("connections cut", cut),
    Fault("connections silenced", silence),
    Fault("slow answers", slow, refuses=False),
    Fault("read-only", read_only),
]

FAULTS = {
    "memory": [PAUSED],
    "sqlite": [
        PAUSED,
        KILLED,
        AHEAD,
        Fault("the file locked", lock_file),
        Fault("the file slow", slow_file, refuses=False),
        Fault("the file replaced", replace_file, rests=True),
        Fault("the file gone and back", remove_file, rests=True),
    ],
    "redis": [PAUSED, KILLED, AHEAD, *NETWORK, Fault("full", full_redis), Fault("eviction", evict)],
    "postgres": [PAUSED, KILLED, AHEAD, *NETWORK, Fault("the table locked", lock_table)],
}


def faults_of(kind: str) -> list[Fault]:
    """The faults of a kind of store."""
    return FAULTS["postgres" if kind.startswith("postgres") else kind]
