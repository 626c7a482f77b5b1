"""
``make demo``: the support agent, unmodified, under the launcher, against a scripted model on loopback.

Prints the run from the journal, then looks for the secrets that stand in the prompt in everything that was written or
sent.  With ``OTEL_EXPORTER_OTLP_ENDPOINT`` set, what was looked at also goes there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from otlp_sink import OtlpSink

from spanledger.testing import ScriptedServer

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
CACHE = Path(".cache") / "demo"

PLANTED = {
    "e-mail address": ("dana.whitfield@northgate-print.co.uk",),
    "phone number": ("+44 20 7946 0958", "442079460958", "7946 0958"),
    "card number": ("4539 1488 0343 6467", "4539148803436467"),
    "API key": ("sk_live_51Hx9QmT2vKc8RbW4nZp7YdLs", "51Hx9QmT2vKc8RbW4nZp7YdLs"),
}
"""What stands in the customer's letter, in every spelling worth looking for."""


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def environment(server: ScriptedServer, sink: OtlpSink) -> dict[str, str]:
    """What the agent is started with: nothing in its code, everything here."""
    env = dict(os.environ)
    for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_TRACES_EXPORTER"):
        env.pop(name, None)
    env.update(
        OPENAI_API_KEY="none-needed",
        OPENAI_BASE_URL=f"{server.url}/v1",
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_METRICS_EXPORTER="otlp",
    )
    wanted = {
        "OTEL_SERVICE_NAME": "support-agent",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
        "SPANLEDGER_TOOLS": "support_tools:*",
        "SPANLEDGER_STORE_ARGUMENTS": "true",
        "SPANLEDGER_STORE_RESULTS": "full",
        "SPANLEDGER_AGENT": "support",
        "SPANLEDGER_JOURNAL": str((CACHE / "journal.db").resolve()),
        "XDG_STATE_HOME": str((CACHE / "state").resolve()),
    }
    return {**wanted, **env}


def written(env: dict[str, str]) -> bytes:
    """Every byte of the journal, its write-ahead log included."""
    journal = Path(env["SPANLEDGER_JOURNAL"])
    return b"".join(path.read_bytes() for path in journal.parent.glob(journal.name + "*"))


def look_for_secrets(server: ScriptedServer, places: dict[str, bytes]) -> bool:
    """Whether all that was planted reached the model and none of it is anywhere else."""
    prompt = b"".join(request.raw for request in server.requests)
    missing = [name for name, forms in PLANTED.items() if forms[0].encode() not in prompt]
    if missing:
        print(f"not even in the prompt: {', '.join(missing)}; this check would prove nothing")
        return False
    clean = True
    for place, content in places.items():
        if b"invoke_agent" not in content:
            print(f"{place}: the run is not there; this check would prove nothing")
            clean = False
            continue
        found = [name for name, forms in PLANTED.items() if any(form.encode() in content for form in forms)]
        clean = clean and not found
        if found:
            print(f"{place}: FOUND {', '.join(found)}")
        else:
            print(f"none of the {len(PLANTED)} planted secrets is in {place} ({len(content):,} bytes)")
    return clean


def main() -> int:
    parser = argparse.ArgumentParser(description="The support agent, recorded.")
    parser.add_argument("--stream", action="store_true", help="let the model's answers stream")
    options = parser.parse_args()
    if "SPANLEDGER_JOURNAL" not in os.environ:
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
    ship_to = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    with ScriptedServer(HERE / "scenarios" / "support.yaml") as server, OtlpSink(ship_to) as sink:
        env = environment(server, sink)
        agent = ["examples/support_agent.py", *(["--stream"] if options.stream else [])]
        say(f"A scripted model answers on {server.url}. Nothing leaves this machine." if ship_to is None else
            f"A scripted model answers on {server.url}. Spans also go to {ship_to}.")  # fmt: skip
        say(f"$ opentelemetry-instrument python {' '.join(agent)}")
        command = [str(BIN / "opentelemetry-instrument"), sys.executable, str(HERE.parent / agent[0]), *agent[1:]]
        ended = subprocess.run(command, env=env, check=False)
        if ended.returncode != 0:
            print(f"the agent ended with {ended.returncode}", file=sys.stderr)
            return ended.returncode
        say("$ spanledger show latest")
        shown = subprocess.run([str(BIN / "spanledger"), "show", "latest"], env=env, check=False)
        say("The letter holds an e-mail address, a phone number, a card number and an API key.")
        exported = b"".join(body for _, body in sink.bodies)
        places = {"the journal": written(env), "the exported bytes": exported}
        clean = look_for_secrets(server, places)
    for path, answer in sink.forwarded.items():
        print(f"{ship_to}{path}: {answer}{'' if answer == '200' else ' (not taken there)'}")
    journal, program = os.path.relpath(env["SPANLEDGER_JOURNAL"]), os.path.relpath(BIN / "spanledger")
    print(f"\nLook again:  SPANLEDGER_JOURNAL={journal} {program} show latest")
    return 0 if clean and shown.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
