"""
How fast other redactors are on the same texts, each in a Python of its own, in one run beside ours.

    python benchmarks/redaction_peers.py [FOLDER] NAME=PYTHON ...

NAME is one of presidio, scrubadub, datafog, openlit, logfire; PYTHON the interpreter of an environment that has it.
FOLDER holds ``synthetic.jsonl``; without it the texts are ours.  CPU microseconds per 1,000 characters: the median over
300 texts, the median over 300 clean ones, and 50 kB of clean messages.  Presidio runs with its pattern recognizers and a
blank tokenizer: the language model that it wants by default is in no package registry.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def presidio() -> Callable[[str], Any]:
    import spacy
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.nlp = {"en": spacy.blank("en")}
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    return lambda text: analyzer.analyze(text, language="en", score_threshold=0.4)


def scrubadub() -> Callable[[str], Any]:
    import scrubadub as peer

    return peer.Scrubber().clean


def datafog() -> Callable[[str], Any]:
    import datafog as peer

    return lambda text: peer.sanitize(text, engine="regex")


def openlit() -> Callable[[str], Any]:
    from openlit.guard import PII

    return PII(action="redact").evaluate


def logfire() -> Callable[[str], Any]:
    from logfire._internal.scrubbing import Scrubber

    scrubber = Scrubber(None)
    return lambda text: scrubber.scrub_value(("attributes", "text"), text)[0]


def spanledger() -> Callable[[str], Any]:
    from spanledger.pipeline.redact import Redactor

    return Redactor().text


def five() -> Callable[[str], Any]:
    from redaction import five_regexes

    return five_regexes()


PEERS = {f.__name__: f for f in (spanledger, five, presidio, scrubadub, datafog, openlit, logfire)}


def cost(redact: Callable[[str], Any], text: str) -> float:
    redact(text)
    best = float("inf")
    repeat = max(1, 1000 // len(text))
    for _ in range(3):
        start = time.process_time()
        for _ in range(repeat):
            redact(text)
        best = min(best, (time.process_time() - start) / repeat)
    return best * 1e9 / len(text)


def child(name: str) -> None:
    """Measure one, with the texts on standard input."""
    redact = PEERS[name]()
    agent, clean, prose = json.load(sys.stdin)
    result = [statistics.median(cost(redact, text) for text in part) for part in (agent, clean)]
    print(json.dumps([*result, cost(redact, prose)]))


def main() -> None:
    from redaction import labelled
    from redaction_texts import messages

    given = [argument for argument in sys.argv[1:] if "=" not in argument]
    rows = labelled(Path(given[0]) if given else None, 1)[-1][1]
    agent = [text for text, _, _ in rows][:300]
    clean = [text for text, spans, _ in rows if not spans][:300]
    payload = json.dumps([agent, clean, messages(1, 50_000)])
    pythons = {"spanledger": sys.executable, "five": sys.executable}
    pythons |= dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    print("| redactor | agent texts | clean texts | 50 kB of clean messages |\n|---|---|---|---|")
    for name, python in pythons.items():
        done = subprocess.run(
            [python, __file__, "--child", name], input=payload, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"| {name} | {done.stderr.strip().splitlines()[-1]} | | |")
            continue
        numbers = json.loads(done.stdout.strip().splitlines()[-1])
        print(f"| {name} | {' | '.join(f'{number:.1f}' for number in numbers)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
    else:
        main()
