"""A Redis Cluster whose masters have a replica each, to be killed, frozen and rearranged."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import signal
import time
from contextlib import suppress
from typing import Any

from crashes import Killed
from failover import Network

SLOTS = 16_384
#: The time in which the nodes have to agree.
PATIENCE = 30.0


class Refused(Exception):
    """A node answered with an error."""


class Node:
    """One node. Clients and its replica reach it by a way that can be cut."""

    def __init__(self, command: list[str], delay: float) -> None:
        options = dict(zip(command[1:], command[2:]))
        #: The ports on which it listens, on which it says that it listens, and on which it listens for the other nodes.
        self.port, self.announced, self.bus = (
            int(options[name]) for name in ("--port", "--cluster-announce-port", "--cluster-port")
        )
        self.delay = delay
        self.process = Killed(command, f"redis://127.0.0.1:{self.port}")
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def begin(self) -> None:
        """Waits for it, and opens the way to it."""
        await self.process.listens()
        self.network = Network(self.port, self.delay)
        await self.network.start(self.announced)
        self.id = await self.ask("CLUSTER MYID")

    async def ask(self, *parts: object) -> Any:
        """Sends a command, words separated by spaces; what it says. Only one may be under way."""
        words = " ".join(str(part) for part in parts).split(" ")
        message = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        try:
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.port)
            self.streams[1].write(f"*{len(words)}\r\n{message}".encode())
            async with asyncio.timeout(PATIENCE):
                return await read(self.streams[0])
        except (OSError, asyncio.IncompleteReadError):
            self.streams = None
            raise

    async def info(self, command: str) -> dict[str, str]:
        """The lines of its answer."""
        lines = (await self.ask(command)).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def kill(self) -> None:
        """Its machine is gone, with what was on the way."""
        self.network.cut()
        self.process.kill()
        self.streams = None

    def freeze(self) -> None:
        """It says nothing any more, and its connections stay."""
        self.process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on, and knows nothing of what was meanwhile."""
        self.process.send(signal.SIGCONT)

    async def revive(self) -> None:
        """Starts it again after a kill."""
        self.process.start()
        await self.begin()


async def read(reader: asyncio.StreamReader) -> Any:
    """One answer of a node."""
    line = (await reader.readuntil(b"\r\n"))[:-2].decode()
    kind, rest = line[0], line[1:]
    if kind == "-":
        raise Refused(rest)
    if kind == "$":
        return (await reader.readexactly(int(rest) + 2))[:-2].decode() if rest != "-1" else None
    if kind == "*":
        return [await read(reader) for _ in range(int(rest))]
    return int(rest) if kind == ":" else rest


def slot_of(cookie: str) -> int:
    """The slot of a session's record."""
    text = cookie.split("=", 1)[1][:43]
    digest = hashlib.sha256(base64.urlsafe_b64decode(text + "=")).digest()
    key = b"carafe:s:" + base64.urlsafe_b64encode(digest).rstrip(b"=")
    return binascii.crc_hqx(key, 0) % SLOTS


class Cluster:
    """All nodes; the first half of them begin as masters, the others as their replicas."""

    def __init__(self, commands: list[list[str]], delay: float) -> None:
        self.nodes = [Node(command, delay) for command in commands]
        half = len(self.nodes) // 2
        share = [SLOTS * number // half for number in range(half + 1)]
        #: The first slots of the masters, and where the last ends.
        self.shares = share

    @property
    def url(self) -> str:
        """The store's URL."""
        first, *others = (f"127.0.0.1:{node.announced}" for node in self.nodes)
        return f"redis-cluster://{first}?{'&'.join(f'node={node}' for node in others)}"

    def stop(self) -> None:
        """Ends all of them."""
        for node in self.nodes:
            with suppress(ProcessLookupError):
                node.thaw()
            node.process.kill()

    async def form(self) -> None:
        """Brings the nodes together."""
        for node in self.nodes:
            await node.begin()
        half = len(self.nodes) // 2
        for number, node in enumerate(self.nodes[:half]):
            await node.ask("CLUSTER SET-CONFIG-EPOCH", number + 1)
            await node.ask("CLUSTER ADDSLOTSRANGE", self.shares[number], self.shares[number + 1] - 1)
        for node in self.nodes[1:]:
            await self.nodes[0].ask("CLUSTER MEET 127.0.0.1", node.announced, node.bus)
        await self.until(self.is_whole, "the nodes don't come together")
        for master, replica in zip(self.nodes, self.nodes[half:]):
            await replica.ask("CLUSTER REPLICATE", master.id)
        await self.in_step()

    async def is_whole(self) -> bool:
        """Whether each node knows all others, and of all slots."""
        infos = [await node.info("CLUSTER INFO") for node in self.nodes]
        return all(
            info["cluster_state"] == "ok" and info["cluster_known_nodes"] == str(len(self.nodes)) for info in infos
        )

    async def in_step(self) -> None:
        """Waits until each master has a replica that has all that it has."""
        await self.until(self.is_in_step, "the replicas don't follow")

    async def is_in_step(self) -> bool:
        """Whether it is so."""
        infos = [await node.info("INFO replication") for node in self.nodes]
        masters = [info for info in infos if info["role"] == "master"]
        offsets = sorted(int(info["master_repl_offset"]) for info in masters)
        replicas = [info for info in infos if info.get("master_link_status") == "up"]
        return (
            await self.is_whole()
            and len(masters) * 2 == len(infos) == len(replicas) * 2
            and all(info["connected_slaves"] == "1" for info in masters)
            and offsets == sorted(int(info["slave_repl_offset"]) for info in replicas)
        )

    async def until(self, is_so: Any, failure: str) -> None:
        """Waits for it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                if await is_so():
                    return
            if time.monotonic() > deadline:
                raise TimeoutError(failure)
            await asyncio.sleep(0.02)

    async def owners(self) -> dict[int, Node]:
        """Which node has each slot, as the first one that is asked sees it."""
        by_id = {node.id: node for node in self.nodes}
        owners = {}
        for first, last, master, *_ in await self.nodes[0].ask("CLUSTER SLOTS"):
            owners.update(dict.fromkeys(range(first, last + 1), by_id[master[2]]))
        return owners

    async def replica_of(self, master: Node) -> Node:
        """The replica that takes over from it."""
        for node in self.nodes:
            if node is not master and (await node.info("INFO replication")).get("master_port") == str(master.announced):
                return node
        raise LookupError("it has no replica")

    async def move(self, slots: list[int], source: Node, target: Node, pause: float) -> None:
        """Moves slots with all that is in them, as an operator does, and takes its time at each step."""
        await self.begin_move(slots, source, target)
        await asyncio.sleep(pause)
        await self.move_keys(slots, source, target)
        await asyncio.sleep(pause)
        await self.end_move(slots, source, target)

    @staticmethod
    async def move_keys(slots: list[int], source: Node, target: Node) -> None:
        """Moves what is in the slots."""
        for slot in slots:
            while keys := await source.ask("CLUSTER GETKEYSINSLOT", slot, 10):
                await source.ask("MIGRATE 127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)

    async def begin_move(self, slots: list[int], source: Node, target: Node) -> None:
        """What is new is made at the target from now on."""
        for slot in slots:
            await target.ask("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
            await source.ask("CLUSTER SETSLOT", slot, "MIGRATING", target.id)

    async def end_move(self, slots: list[int], source: Node, target: Node) -> None:
        """The target has the slots."""
        for node in (target, source):
            for slot in slots:
                await node.ask("CLUSTER SETSLOT", slot, "NODE", target.id)

    async def errors(self, kind: str) -> int:
        """The number of answers with an error from the nodes."""
        total = 0
        for node in self.nodes:
            count = (await node.info("INFO errorstats")).get(f"errorstat_{kind}", "count=0")
            total += int(count.split("=")[1])
        return total
