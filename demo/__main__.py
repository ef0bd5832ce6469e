"""The command `python -m demo`: what `make demo` runs."""

from __future__ import annotations

import argparse
import asyncio
import sys

import aiohttp

from demo.api import ApiRefused
from demo.docker_registry import RegistryDidNotStart
from demo.images import PushFailed
from demo.server_process import ServerEnded
from demo.show import MissingRegistry, run_until_stopped

CANNOT_START = 2


def main() -> None:
    """Run the demonstration until Ctrl-C; exit 2 with the reason when it can't be run."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 takes a free one")
    parser.add_argument("--step-seconds", type=float, default=20.0, help="how often something happens by itself")
    arguments = parser.parse_args()
    try:
        asyncio.run(run_until_stopped(arguments.host, arguments.port, arguments.step_seconds))
    except (
        MissingRegistry,
        RegistryDidNotStart,
        ServerEnded,
        PushFailed,
        ApiRefused,
        aiohttp.ClientError,
        OSError,
    ) as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        sys.exit(CANNOT_START)


if __name__ == "__main__":
    main()
