"""``python -m spanledger.testing --scenario FILE [--port N]``: the scripted model server as a program of its own."""

from __future__ import annotations

import argparse
import sys
import threading

from ..errors import ConfigurationError
from .server import ScriptedServer


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; 2 when the scenario can't be read."""
    parser = argparse.ArgumentParser(prog="python -m spanledger.testing", description=main.__doc__)
    parser.add_argument("--scenario", required=True, help="a JSON or YAML file")
    parser.add_argument("--port", type=int, default=0, help="0, the default, is any free one")
    options = parser.parse_args(arguments)
    try:
        server = ScriptedServer(options.scenario, port=options.port)
    except (ConfigurationError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
