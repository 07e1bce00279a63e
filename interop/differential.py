"""The differential tester: the same random requests to Flask's twin and to Carafe's, and the same answers expected.

    CARAFE_TWIN=target/release/twin python interop/differential.py --requests 2000 --seed 1

Both are started in each configuration with one secret key and one fixed clock. A client's cookie is carried on from
Flask's answer and from Carafe's in turn, so that each reads what the other wrote. What may differ is listed in
`differences.py`. The last line says how it went; the exit status is 1 if anything else differed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import differences
from differ import configurations
from differ.compare import payload_json, split
from differ.configurations import Configuration
from differ.exchange import Exchange
from differ.forge import Forge
from differ.generate import Generator
from differ.shrink import shrink
from differ.twins import Server, StartFailure
from differ.wire import Answer, Connection, Request

#: The second that both clocks stand at.
NOW = 1_700_000_000
CLIENTS = 4
#: After so many disagreements a configuration is left, and after so many in all the run ends.
ENOUGH = 3
ENOUGH_IN_ALL = 12
FLASK_TWIN = [sys.executable, str(Path(__file__).with_name("twin.py"))]


@dataclass
class Tally:
    """The counts so far."""

    requests: int = 0
    configurations: int = 0
    disagreements: int = 0
    documented: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        """The last line of a run."""
        seen = ", ".join(f"{name} {count}" for name, count in sorted(self.documented.items())) or "none"
        return (
            f"{self.requests} requests, {self.configurations} configurations, {self.disagreements} disagreements"
            f" ({sum(self.documented.values())} documented differences seen: {seen})"
        )


class Pair:
    """Both servers in one configuration."""

    def __init__(self, configuration: Configuration, flask_url: str, carafe_url: str) -> None:
        self.configuration = configuration
        self.flask = Connection(flask_url)
        self.carafe = Connection(carafe_url)

    def exchange(self, request: Request) -> Exchange:
        """Sends a request to both at once."""
        self.flask.send(request)
        self.carafe.send(request)
        return Exchange(
            self.configuration, NOW, request, self.flask.receive(), self.carafe.receive(), ask_flask=self.flask.ask
        )

    def disagrees(self, request: Request, kind: str) -> bool:
        """Whether a request is answered differently in this way, and no rule explains it."""
        exchange = self.exchange(request)
        return kind in map(kind_of, exchange.disagreements) and differences.explanation(exchange) is None


def kind_of(disagreement: str) -> str:
    """The differences, without the values."""
    return disagreement.split(": Flask")[0]


def run(pair: Pair, requests: int, seed: int, tally: Tally, deadline: float) -> None:
    """Sends random requests until there were `requests`, or `deadline` (monotonic seconds) has passed."""
    configuration = pair.configuration
    rng = random.Random(f"{seed} {configuration.name}")
    generator = Generator(configuration, NOW, rng)
    jars: list[bytes | None] = [None] * CLIENTS
    disagreements = 0
    for number in range(requests):
        if time.monotonic() > deadline or disagreements >= ENOUGH:
            break
        client = rng.randrange(CLIENTS)
        exchange = pair.exchange(generator.request(jars[client]))
        tally.requests += 1
        if exchange.disagreements:
            if rule := differences.explanation(exchange):
                tally.documented[rule.name] += 1
            else:
                disagreements += 1
                report(pair, exchange, seed, number)
        jars[client] = carry_on(jars[client], exchange.flask if number % 2 else exchange.carafe, configuration)
    tally.configurations += 1
    tally.disagreements += disagreements


def carry_on(jar: bytes | None, answer: Answer, configuration: Configuration) -> bytes | None:
    """The session cookie that a client holds after `answer`."""
    for cookie in map(split, answer.set_cookie):
        if cookie.name == configuration.cookie_name.encode():
            return cookie.value or None
    return jar


def report(pair: Pair, exchange: Exchange, seed: int, number: int) -> None:
    """Prints a disagreement, as short as it can be made without becoming another one."""
    if exchange.disagreements:
        kind = kind_of(exchange.disagreements[0])
        forge = Forge(pair.configuration, NOW, random.Random(0))
        exchange = pair.exchange(
            shrink(exchange.request, lambda request: pair.disagrees(request, kind), pair.configuration, forge)
        )
    short = exchange.request
    print(f"\nDISAGREEMENT in configuration {pair.configuration.name} (seed {seed}, request {number})")
    for line in exchange.disagreements:
        print("  " + line)
    print(f"  settings: {json.dumps(pair.configuration.settings, ensure_ascii=False)}")
    print(f"  request:  {short.method} {short.path} {short.content().decode('latin-1')}")
    for cookie in short.cookies:
        print(f"  Cookie:   {cookie.decode('latin-1')}")
    opened = exchange.opened
    print(f"  opened:   {opened.step.value}" + (f", {opened.session!r}" if opened.session is not None else ""))
    for name, answer in (("Flask", exchange.flask), ("Carafe", exchange.carafe)):
        print(f"  {name}: {answer.status}, Vary {answer.vary!r}, {answer.body[:2000]!r}")
        for header in answer.set_cookie:
            print(f"    Set-Cookie: {header.decode('latin-1')}\n      payload:  {payload_json(split(header).value)}")
    replay = json.dumps({"configuration": pair.configuration.name, "request": short.to_json()})
    print(f"  again:    --replay {shlex.quote(replay)}", flush=True)


def replay(pair: Pair, request: Request, tally: Tally) -> None:
    """Sends one request again and reports it if it still disagrees."""
    exchange = pair.exchange(request)
    tally.requests, tally.configurations = 1, 1
    if exchange.disagreements:
        if rule := differences.explanation(exchange):
            tally.documented[rule.name] += 1
        else:
            tally.disagreements += 1
            report(pair, exchange, 0, 0)


def servers(configuration: Configuration, arguments: argparse.Namespace) -> tuple[Server, Server | None]:
    """Starts both twins; Carafe's only if no running one was named."""
    clock = ["--listen", "127.0.0.1:0", "--now", str(NOW)]
    command = shlex.split(arguments.flask) if arguments.flask else FLASK_TWIN
    flask = Server([*command, *clock], configuration.environment())
    if arguments.carafe_url:
        return flask, None
    try:
        command = [*shlex.split(arguments.carafe), *clock, *shlex.split(arguments.carafe_args)]
        return flask, Server(command, configuration.environment())
    except StartFailure:
        flask.stop()
        raise


def test_configuration(
    configuration: Configuration, requests: int, arguments: argparse.Namespace, tally: Tally, deadline: float
) -> None:
    """Runs one configuration from start to stop."""
    try:
        flask, carafe = servers(configuration, arguments)
    except StartFailure as error:
        print(f"\nDISAGREEMENT: configuration {configuration.name} does not start\n  {error}", flush=True)
        tally.disagreements += 1
        return
    try:
        pair = Pair(configuration, flask.url, carafe.url if carafe else arguments.carafe_url)
        if arguments.replay:
            replay(pair, Request.from_json(json.loads(arguments.replay)["request"]), tally)
        else:
            run(pair, requests, arguments.seed, tally, deadline)
    except OSError as error:
        print(f"\nDISAGREEMENT: {configuration.name}: a server failed: {error!r}\n{carafe.log() if carafe else ''}")
        tally.disagreements += 1
    finally:
        for name, server in (("Flask", flask), ("Carafe", carafe)):
            if server is None:
                continue
            alive = server.is_running()
            if server.stop() not in (0, -15) or not alive:
                print(
                    f"\nDISAGREEMENT: {configuration.name}: {name}'s twin did not end well\n{server.log()}", flush=True
                )
                tally.disagreements += 1


def main(argv: list[str] | None = None) -> int:
    """Runs the tester; the exit status."""
    arguments = parse_arguments(argv)
    if arguments.replay:
        arguments.config = [json.loads(arguments.replay)["configuration"]]
    chosen = (
        [configurations.find(name, arguments.seed) for name in arguments.config]
        if arguments.config
        else configurations.all_configurations(arguments.seed)
    )
    tally = Tally()
    started = time.monotonic()
    deadline = started + arguments.minutes * 60 if arguments.minutes else float("inf")
    total = arguments.requests or (10**9 if arguments.minutes else 2000)
    for number, configuration in enumerate(chosen):
        share = total // len(chosen) + (number < total % len(chosen))
        left = len(chosen) - number
        until = min(deadline, time.monotonic() + (deadline - time.monotonic()) / left)
        test_configuration(configuration, share, arguments, tally, until)
        if tally.disagreements >= ENOUGH_IN_ALL:
            print("\nenough is enough: the remaining configurations are left out")
            break
    print(tally.line(), flush=True)
    return 1 if tally.disagreements else 0


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=0, metavar="N", help="over all configurations (default 2000)")
    parser.add_argument("--minutes", type=float, default=0, metavar="M", help="stop after this long")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--config", action="append", metavar="NAME", help="only this configuration; may be repeated")
    parser.add_argument(
        "--carafe", default=os.environ.get("CARAFE_TWIN", ""), metavar="COMMAND", help="default: $CARAFE_TWIN"
    )
    parser.add_argument("--flask", default="", metavar="COMMAND", help="what takes the part of Flask's twin")
    parser.add_argument(
        "--carafe-args", default="", metavar="ARGS", help='more arguments for it, such as "--server actix"'
    )
    parser.add_argument(
        "--carafe-url", metavar="URL", help="a server that runs already, in the one configuration given"
    )
    parser.add_argument("--replay", metavar="JSON", help="send one reported request again")
    arguments = parser.parse_args(argv)
    if not arguments.carafe and not arguments.carafe_url:
        parser.error("name Carafe's twin: $CARAFE_TWIN, --carafe or --carafe-url")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
