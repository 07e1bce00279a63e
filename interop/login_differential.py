"""The differential tester of logins: random requests to real Flask with Flask-Login and to Carafe, and the same answers expected.

    CARAFE_TWIN=target/debug/examples/twin python interop/login_differential.py --requests 10000 --seed 1

Each mode of the session protection is tried with several settings of the remember cookie, on axum and on actix-web. A
client's two cookies are carried on from Flask's answer and from Carafe's in turn. The last line says how it went; the exit
status is 1 if anything differed.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import sys

from differ.configurations import Configuration
from differ.exchange import Exchange
from differ.logins import Generator, configurations
from differ.twins import FRAMEWORKS, Server, StartFailure
from differential import ENOUGH, ENOUGH_IN_ALL, FLASK_TWIN, NOW, Pair, Tally, report


def fails_twice(exchange: Exchange) -> bool:
    """Whether Flask fails on the page for a failure, too, and then saves nothing: the one difference that is documented.

    That is so where `_remember_seconds` is no number, and the handler fails or the remember cookie is renewed at each request.
    Carafe saves the session.
    """
    flask, carafe = exchange.flask, exchange.carafe
    return flask.status == carafe.status == 500 and not flask.set_cookie and flask.vary is None


def run(pair: Pair, requests: int, seed: int, tally: Tally) -> None:
    """Sends random requests, and reports what differs."""
    rng = random.Random(f"{seed} {pair.configuration.name}")
    generator = Generator(pair.configuration, NOW, rng)
    disagreements = 0
    for number in range(requests):
        client = rng.choice(generator.clients)
        exchange = pair.exchange(generator.request(client))
        tally.requests += 1
        if exchange.disagreements and fails_twice(exchange):
            tally.documented["fails-twice"] += 1
        elif exchange.disagreements:
            disagreements += 1
            report(pair, exchange, seed, number)
            if disagreements >= ENOUGH:
                break
        generator.keep(client, exchange.flask if number % 2 else exchange.carafe)
    tally.configurations += 1
    tally.disagreements += disagreements


def test(mode: str, configuration: Configuration, framework: str, requests: int, arguments: argparse.Namespace, tally: Tally) -> None:
    """Starts both twins in one configuration, and stops them."""
    options = ["--listen", "127.0.0.1:0", "--now", str(NOW), "--flask-login", mode]
    servers: list[Server] = []
    try:
        servers.append(Server([*FLASK_TWIN, *options], configuration.environment()))
        carafe = [*shlex.split(arguments.carafe), *options, "--server", framework, "--log", "trace"]
        servers.append(Server(carafe, configuration.environment()))
        run(Pair(configuration, servers[0].url, servers[1].url), requests, arguments.seed, tally)
    except (StartFailure, OSError) as error:
        print(f"\nDISAGREEMENT: {configuration.name} on {framework}: {error!r}", flush=True)
        tally.disagreements += 1
    finally:
        for server in servers:
            alive = server.is_running()
            if server.stop() not in (0, -15) or not alive:
                print(f"\nDISAGREEMENT: {configuration.name} on {framework}: a server did not end well\n{server.log()}", flush=True)
                tally.disagreements += 1


def main(argv: list[str] | None = None) -> int:
    """Runs the tester; the exit status."""
    arguments = parse_arguments(argv)
    tally = Tally()
    chosen = [(framework, *one) for framework in arguments.server or FRAMEWORKS for one in configurations()]
    for number, (framework, mode, configuration) in enumerate(chosen):
        share = arguments.requests // len(chosen) + (number < arguments.requests % len(chosen))
        test(mode, configuration, framework, share, arguments, tally)
        if tally.disagreements >= ENOUGH_IN_ALL:
            print("\nenough is enough: the remaining configurations are left out")
            break
    print(tally.line(), flush=True)
    return 1 if tally.disagreements else 0


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=600, metavar="N", help="over all configurations (default 600)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--server", action="append", choices=FRAMEWORKS, help="only this framework")
    parser.add_argument("--carafe", default=os.environ.get("CARAFE_TWIN", ""), metavar="COMMAND", help="default: $CARAFE_TWIN")
    arguments = parser.parse_args(argv)
    if not arguments.carafe:
        parser.error("name Carafe's twin: $CARAFE_TWIN or --carafe")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
