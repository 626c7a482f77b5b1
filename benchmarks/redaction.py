"""
How well and how fast redaction works: on texts made here, and on a folder of labelled texts where there is one.

    python benchmarks/redaction.py                    our own texts, floods, speed
    python benchmarks/redaction.py FOLDER             also ``synthetic.jsonl``, ``presidio_cases.jsonl``,
                                                      ``secret_cases.jsonl`` and ``attacks_open.jsonl`` of FOLDER
    python benchmarks/redaction.py --seed 7           other texts
    python benchmarks/redaction.py --check            exit code 1 when a bar is missed

Times are CPU times of this process, beside a five-pattern `re.sub` redactor on the same texts in the same run; peers
that are installed (Presidio, scrubadub, datafog, OpenLIT's guard, logfire's scrubber) are measured too.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redaction_attacks import attacks as made_attacks
from redaction_scores import Span, changes, marking, score
from redaction_texts import floods, messages, texts

from spanledger.pipeline.engine import uses_re2
from spanledger.pipeline.redact import Redactor

FIVE = (
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",
    r"(?:\+?1[-. ]?)?\(?\b\d{3}\)?[-. ]?\d{3}[-. ]?\d{4}\b",
    r"\b\d{4}[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}\b",
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
)
NAMES = {
    "EMAIL": "EMAIL_ADDRESS", "PHONE": "PHONE_NUMBER", "CARD": "CREDIT_CARD", "SSN": "US_SSN", "ITIN": "US_ITIN",
    "NHS": "UK_NHS", "IBAN": "IBAN_CODE", "IP": "IP_ADDRESS", "MAC": "MAC_ADDRESS", "PASSPORT": "US_PASSPORT",
    "LICENSE": "US_DRIVER_LICENSE", "CRYPTO": "CRYPTO",
}  # fmt: skip
BARS = {"precision": 0.97, "recall": 0.95, "destroyed": 0.005, "clean texts touched": 0.03}
failed: list[str] = []


def bar(name: str, value: float, wanted: float, *, at_most: bool) -> str:
    """*value* for a table, and a note when it misses the bar."""
    if value > wanted if at_most else value < wanted:
        failed.append(f"{name}: {value:.4g}, wanted {'at most' if at_most else 'at least'} {wanted}")
    return f"{value:.4g}"


def table(title: str, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |")


def lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON lines file; none when it is not there."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def labelled(folder: Path | None, seed: int) -> list[tuple[str, list[tuple[str, list[Span], list[Span]]]]]:
    """The sets of labelled texts: name, and rows of text, planted and neutral spans."""
    sets: list[tuple[str, list[tuple[str, list[Span], list[Span]]]]] = [
        (f"own texts, seed {seed}", [(text, spans, []) for text, spans in texts(seed)])
    ]
    for row in lines(folder / "synthetic.jsonl") if folder else []:
        if len(sets) == 1:
            sets.append(("synthetic.jsonl", []))
        spans = {tier: [] for tier in ("pattern", "context", "ner")}  # type: dict[str, list[Span]]
        for span in row["spans"]:
            spans[span["tier"]].append((span["start"], span["end"], span["entity"]))
        neutral = [(span["start"], span["end"], "") for span in row["neutral"]]
        sets[1][1].append((row["text"], spans["pattern"] + spans["context"], neutral + spans["ner"]))
    return sets


def quality(folder: Path | None, seed: int) -> None:
    """Precision, recall and harm."""
    redactor = marking()
    rows = []
    for name, data in labelled(folder, seed):
        result = score(data, [changes(text, redactor.text(text)) for text, _, _ in data])
        cells = [bar(f"{name}, {key}", result[key], wanted, at_most=wanted < 0.5) for key, wanted in BARS.items()]
        rows.append((name, len(data), result["planted"], *cells))
    table("Agent-like texts", ("set", "texts", "planted", *BARS), rows)


def cases(folder: Path) -> None:
    """Presidio's own cases, by entity: a text counts when all of it is covered by the right label, or left alone."""
    redactor = marking()
    by: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in lines(folder / "presidio_cases.jsonl"):
        if row["entity"] not in NAMES.values():
            continue
        spans = [
            (a, b)
            for a, b, label in changes(row["text"], redactor.text(row["text"]))
            if NAMES.get(label) == row["entity"]
        ]
        covered = {place for a, b in spans for place in range(a, b)}
        count = by[row["entity"]]
        if row["expected"]:
            count[0] += 1
            count[1] += all(
                place in covered for a, b in row["expected"] for place in range(a, b) if row["text"][place].isalnum()
            )
        else:
            count[2] += 1
            count[3] += not spans
    if by:
        rows = [(name, f"{c[1]}/{c[0]}", f"{c[3]}/{c[2]}") for name, c in sorted(by.items())]
        table("Presidio's own cases", ("entity", "found", "left alone"), rows)


def secrets(folder: Path) -> None:
    """Test vectors of a secret scanner: flagged or left alone, as they say."""
    redactor = Redactor()
    rows = [row for row in lines(folder / "secret_cases.jsonl") if row["should_flag"] is not None]
    if rows:
        hits = [(row["should_flag"], redactor.text(row["text"]) != row["text"]) for row in rows]
        found = sum(hit for wanted, hit in hits if wanted)
        spared = sum(not hit for wanted, hit in hits if not wanted)
        flagged = sum(wanted for wanted, _ in hits)
        table("Secret vectors", ("found", "left alone"), [(f"{found}/{flagged}", f"{spared}/{len(hits) - flagged}")])


def attacks(folder: Path | None, seed: int) -> None:
    """Texts written to slip through: ours, and those of *folder*."""
    redactor = Redactor()
    ours = [
        (cls, text, [needle] if needle else [], [] if needle else [text]) for cls, text, needle in made_attacks(seed)
    ]
    slipped_through(f"own attacks, seed {seed}", redactor, ours)
    rows = lines(folder / "attacks_open.jsonl") if folder else []
    theirs = [(row["cls"], row["text"], row["needles"], row["must_keep"]) for row in rows if row["level"] == "text"]
    if theirs:
        slipped_through("attacks_open.jsonl", redactor, theirs)


def slipped_through(name: str, redactor: Redactor, rows: list[tuple[str, str, list[str], list[str]]]) -> None:
    """No needle may survive, what must be kept must."""
    by: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    left = []
    for cls, text, needles, kept in rows:
        new = redactor.text(text)
        good = all(needle not in new for needle in needles) and all(keep in new for keep in kept)
        by[cls.partition(",")[0]][0] += 1
        by[cls.partition(",")[0]][1] += good
        if not good:
            left.append(text)
    total, stopped = (sum(count[i] for count in by.values()) for i in (0, 1))
    bar(f"{name} stopped", stopped / total, 0.95, at_most=False)
    counted = [*((cls, f"{good}/{all_}") for cls, (all_, good) in by.items()), ("**all**", f"{stopped}/{total}")]
    table(name, ("class", "stopped"), counted)
    for text in left[:12]:
        print("left:", ascii(text)[:120])


def five_regexes() -> Callable[[str], str]:
    """The redactor of every blog post."""
    patterns = [re.compile(pattern) for pattern in FIVE]

    def redact(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub("[REDACTED]", text)
        return text

    return redact


def peers() -> dict[str, Callable[[str], Any]]:
    """What is installed of the others."""
    makers: dict[str, Callable[[], Callable[[str], Any]]] = {
        "scrubadub": lambda: __import__("scrubadub").Scrubber().clean,
        "datafog": _datafog,
        "Presidio": _presidio,
        "OpenLIT guard": lambda: __import__("openlit.guard", fromlist=["PII"]).PII(action="redact").evaluate,
        "logfire scrubber": _logfire,
    }
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except ImportError:  # noqa: PERF203 - not installed
            continue
    return found


def _datafog() -> Callable[[str], Any]:
    import datafog

    return lambda text: datafog.sanitize(text, engine="regex")


def _presidio() -> Callable[[str], Any]:
    from presidio_analyzer import AnalyzerEngine

    engine = AnalyzerEngine()
    return lambda text: engine.analyze(text, language="en")


def _logfire() -> Callable[[str], Any]:
    from logfire._internal.scrubbing import Scrubber

    scrubber = Scrubber(None)
    return lambda text: scrubber.scrub_value(("attributes", "text"), text)[0]


def cost(redact: Callable[[str], Any], text: str, times: int = 5) -> float:
    """CPU microseconds per 1,000 characters, the best of *times*."""
    redact(text)
    best = float("inf")
    repeat = max(1, 2000 // len(text))
    for _ in range(times):
        start = time.process_time()
        for _ in range(repeat):
            redact(text)
        best = min(best, (time.process_time() - start) / repeat)
    return best * 1e9 / len(text)


def speed(folder: Path | None, seed: int) -> None:
    """CPU per 1,000 characters, beside the five patterns and the peers that are installed."""
    rows = labelled(folder, seed)[-1][1][:1000]
    agent = [text for text, _, _ in rows]
    clean = [text for text, spans, _ in rows if not spans]
    prose = messages(seed, 50_000)
    engines = {"spanledger": Redactor().text, "five re.sub": five_regexes(), **peers()}
    cells: list[tuple[str, float, float, float]] = []
    for name, redact in engines.items():
        times = 3 if len(cells) > 1 else 9  # the first two are compared: neighbours on this machine must not decide
        texts, look_alikes = (statistics.median(cost(redact, text, times) for text in part) for part in (agent, clean))
        cells.append((name, texts, look_alikes, cost(redact, prose)))
    ours, five = cells[0], cells[1]
    bar("median us per 1,000 characters of agent texts", ours[1], min(100.0, five[1]), at_most=True)
    bar("median us per 1,000 characters of clean texts full of look-alikes", ours[2], 30.0, at_most=True)
    bar("us per 1,000 characters of clean messages", ours[3], 30.0, at_most=True)
    engine = "RE2" if uses_re2() else "the standard library's re"
    head = ("redactor", "agent texts, median", "clean texts, median", "50 kB of clean messages")
    table(f"Microseconds per 1,000 characters ({engine})", head, [(n, *(f"{v:.1f}" for v in r)) for n, *r in cells])


def flooded() -> None:
    """64,000 characters of one thing over and over, and a quarter of a megabyte of Base64."""
    redact = Redactor().text
    redact("warm a@b.co password=x1234")
    times = sorted(((cost(redact, text, 2) * len(text) / 1e6, name) for name, text in floods().items()), reverse=True)
    bar("worst flood, ms", times[0][0], 50.0, at_most=True)
    blob = "see data:image/png;base64," + "iVBORw0KGgo" + "aB3/" * 65_536
    image = cost(redact, blob, 3) * len(blob) / 1e6
    bar("256 kB of Base64, ms", image, 5.0, at_most=True)
    table(
        "Floods, ms of CPU",
        ("text", "ms"),
        [(repr(n), f"{t:.1f}") for t, n in times[:6]] + [("Base64 256 kB", f"{image:.1f}")],
    )


def main() -> int:
    """Measure all, and say what missed its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    quality(given.folder, given.seed)
    attacks(given.folder, given.seed)
    if given.folder:
        cases(given.folder)
        secrets(given.folder)
    speed(given.folder, given.seed)
    flooded()
    for miss in failed:
        print(f"\nmissed: {miss}")
    return 1 if given.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
