"""
Drives real clients over recorded traffic, watched and unwatched, and compares.

    python tests/conformance/run.py --kit FOLDER [--only TEXT] [--flavours sync,async] [--opts chunk=awkward]
    python tests/conformance/run.py --kit FOLDER --fault status:429,status:500,cut,error,hang,cancel [--most 2]

The folder holds recordings, a server that answers with them (``replay_server.py``) and a driver that makes the calls
with the clients that are installed (``drive.py``).  For every call: what the caller gets must be the same with and
without us, there must be one span of the call, it must say what the recording says, and the call's price must be what
the provider's own arithmetic makes of the wire's numbers.  Where the server is told to fail (``--fault``, for each of
its kinds), the call must be one span, settled once, that says how it failed; ``cancel`` is a caller who gives up.
What cannot be driven here is named.  Exits with 1 if anything is wrong, or nothing was driven.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
import urllib.parse
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from expect import check
from kit import Kit, open_kit
from prices import difference

FLAVOURS = "sync,async,sync-helper,async-helper,sync-raw,async-raw"
DATE = re.compile(r"""["'][Dd]ate["']: ["'][^"']*["']""")
SHORT = 0.7
"""Seconds that a client waits for a server that never answers."""
INSIDE = ("openai.responses", "gemini.interactions")
"""Where a failure may come as an event, which the client hands on."""


def outcome(drive: Any, result: Any) -> Any:
    """What the caller got, comparable."""
    if result.exception is not None:
        kind = type(result.exception)
        return f"{kind.__module__}.{kind.__qualname__}: {DATE.sub('', str(result.exception))}"
    # the answers of one client carry the time at which the server answered
    many = result.value if isinstance(result.value, list) else [result.value]
    return [
        (type(one).__name__, DATE.sub("", json.dumps(drive.dump(one), sort_keys=True, default=str))) for one in many
    ]


def driven(kit: Kit, interaction: dict[str, Any], flavour: str, extra: str) -> Any:
    """The call, made with the real client."""
    if "fault=cancel" in extra:
        return _cancelled(kit, interaction, flavour, extra.replace("fault=cancel", "fault=hang"))
    timeout = SHORT if "fault=hang" in extra else 20.0
    try:
        return kit.drive.drive(interaction, kit.base, flavour, extra, timeout=timeout)
    except Exception as error:  # noqa: BLE001 - the driver stumbled over the recording, not the client
        result = kit.drive.Result(interaction["id"], flavour)
        result.exception = error
        return result


def _cancelled(kit: Kit, interaction: dict[str, Any], flavour: str, extra: str) -> Any:
    style, result = flavour.partition("-")[2], kit.drive.Result(interaction["id"], flavour)
    url = f"{kit.base}/{urllib.parse.quote(interaction['id'] + extra)}"

    async def give_up() -> None:
        task = asyncio.ensure_future(kit.drive._async(interaction, url, style, 20.0, 0, []))
        await asyncio.sleep(SHORT)
        task.cancel()
        await task

    try:
        asyncio.run(give_up())
    except BaseException as error:  # noqa: BLE001 - a cancellation is what we want
        result.exception = error
    return result


def parsed() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kit", type=Path, required=True)
    options.add_argument("--only", default="")
    options.add_argument("--flavours", default=FLAVOURS)
    options.add_argument("--opts", default="", help="options of the server, e.g. chunk=awkward or gzip=1~chunk=awkward")
    options.add_argument("--fault", default="", help="ways to fail, e.g. status:429,cut:0.5,error,hang,cancel")
    options.add_argument("--most", type=int, default=0, help="how many recordings of each kind; 0 is all")
    return options.parse_args()


def main() -> int:
    chosen = parsed()
    warnings.simplefilter("ignore")
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    kit = open_kit(chosen.kit, chosen.only)
    many, cases = Counter(), []
    for interaction in kit.recordings:
        if chosen.fault and interaction["response"]["status"] >= 400:
            continue  # it has failed as it is
        kind = interaction["endpoint"], interaction["provider"], "stream" in interaction["tags"]
        many[kind] += 1
        if not chosen.most or many[kind] <= chosen.most:
            cases += [(interaction, flavour) for flavour in chosen.flavours.split(",")]
    report = 0 if cases else 1
    for fault in chosen.fault.split(","):
        extra = "".join(f"~{one}" for one in (chosen.opts, fault and f"fault={fault}") if one)
        if fault:
            print(f"--- {fault}", flush=True)
        some = [case for case in cases if _applies(fault, *case)]
        plain = [_comparable(kit, driven(kit, *case, extra)) for case in some]
        report |= watched(kit, extra, some, plain)
    kit.server.shutdown()
    for why, left in sorted(kit.left.items()):
        print(f"not driven: {why} ({len(left)})")
    for what in kit.unread:
        print(f"not read: {what}")
    if not cases:
        print("nothing was driven")
    return report


def _applies(fault: str, interaction: dict[str, Any], flavour: str) -> bool:
    if fault.startswith("error"):
        return "stream" in interaction["tags"]
    # boto3 has no asynchronous form, and a thread cannot be given up
    return fault != "cancel" or (flavour.startswith("async") and not interaction["endpoint"].startswith("bedrock"))


def _comparable(kit: Kit, result: Any) -> Any:
    try:
        return outcome(kit.drive, result)
    except Exception as error:  # noqa: BLE001 - one answer that cannot be written down does not stop the rest
        return f"not comparable: {error!r}"


def _failed(interaction: dict[str, Any], result: Any, extra: str) -> bool | None:
    if "fault=" not in extra:
        return None
    event = "fault=error" in extra and "stream" in interaction["tags"] and interaction["endpoint"].startswith(INSIDE)
    return result.exception is not None or event


class Tally:
    """What came of the calls, by endpoint."""

    def __init__(self) -> None:
        self.good, self.all, self.skipped, self.prices = Counter(), Counter(), Counter(), Counter()
        self.notes: dict[str, str] = {}

    def show(self) -> int:
        for endpoint in sorted(self.all | self.skipped):
            note = f"  ({self.skipped[endpoint]} not drivable here)" if self.skipped[endpoint] else ""
            print(f"{endpoint:36} {self.good[endpoint]:4} / {self.all[endpoint]:4}{note}")
        print(f"{'all':36} {self.good.total():4} / {self.all.total():4}")
        print("prices:", ", ".join(f"{count} {status}" for status, count in self.prices.most_common()))
        for what, why in self.notes.items():
            print(f"note: {what}: {why}")
        return 0 if self.good.total() == self.all.total() else 1


def watched(kit: Kit, extra: str, cases: list[Any], plain: list[Any]) -> int:
    """The same calls again, watched."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from spanledger.instrument import instrument
    from spanledger.providers import ADAPTERS

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    calls: list[Any] = []
    tally, log = Tally(), kit.server.RequestHandlerClass.log
    with contextlib.ExitStack() as until:
        watching = instrument(tracer_provider=provider, adapters=ADAPTERS)
        until.callback(watching.undo)
        watching.engine.listeners.append(lambda call: calls.append(call.model_call))
        for (interaction, flavour), before in zip(cases, plain, strict=True):
            exporter.clear()
            log.clear()
            calls.clear()
            result, endpoint = driven(kit, interaction, flavour, extra), interaction["endpoint"]
            if not log:  # the client refused to send it
                tally.skipped[endpoint] += 1
                tally.notes.setdefault(interaction["id"], f"not sent: {result.exception!r}"[:200])
                continue
            wrong = _wrong(interaction, result, exporter.get_finished_spans(), calls, extra, tally)
            if (after := _comparable(kit, result)) != before:
                wrong.append(f"the caller gets another thing: {str(before)[:300]} != {str(after)[:300]}")
            tally.all[endpoint] += 1
            tally.good[endpoint] += not wrong
            if wrong:
                print(interaction["id"], flavour, *wrong, sep="\n    ")
    return tally.show()


def _wrong(interaction: Any, result: Any, spans: Any, calls: list[Any], extra: str, tally: Tally) -> list[str]:
    from spanledger import pricing

    failed = _failed(interaction, result, extra)
    try:
        wrong = check(interaction, list(spans), failed, extra.rpartition("fault=")[2])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        wrong = [f"it cannot be compared with the recording's facts: {error!r}"]
    if len(calls) != 1:
        wrong.append(f"settled {len(calls)} times")
    if calls and calls[-1] is not None and failed is None:
        price = pricing.price_call(calls[-1])
        tally.prices[price.status] += 1
        try:
            if unlike := difference(interaction, calls[-1].provider, price):
                wrong.append(f"price: {unlike}")
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            tally.notes.setdefault(interaction["id"], f"its price cannot be told from the wire: {error!r}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
