"""
Fuzzing by hand, guided by coverage: ``pip install atheris && python tests/fuzz/redact.py -max_total_time=300``.

Whatever the bytes say: redacting never raises, JSON in is JSON out, a planted needle never survives, twice is once.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import atheris

with atheris.instrument_imports(include=["spanledger.pipeline"]):
    from spanledger.pipeline.detect import Detector
    from spanledger.pipeline.marks import FAILED
    from spanledger.pipeline.redact import Redactor

NEEDLES = (
    "4111 1111 1111 1111", "jane.roe@leak.example.com", "sk-ant-api03-Zq9vAb1Cd2Ef3Gh4Ij5Kl6Mn7Op8AA",
    "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "536-22-1458",
)  # fmt: skip
BETWEEN = (" ", "\n", '"', "(", ")", ", ", "\u3002", "\t")
REDACTOR = Redactor(detector=Detector(re2=False))  # the engine whose steps can be seen


def tree_of(data: atheris.FuzzedDataProvider, depth: int = 0) -> Any:
    """A tree that the bytes spell."""
    kind = data.ConsumeIntInRange(0, 7 if depth < 4 else 4)
    if kind < 2:
        return data.ConsumeUnicodeNoSurrogates(24)
    if kind == 2:
        return data.PickValueInList(list(NEEDLES))
    if kind == 3:
        return data.ConsumeInt(8)
    if kind == 4:
        return json.dumps(tree_of(data, depth + 1)) if depth < 4 else None
    if kind == 5:
        return [tree_of(data, depth + 1) for _ in range(data.ConsumeIntInRange(0, 3))]
    return {
        data.ConsumeUnicodeNoSurrogates(8): tree_of(data, depth + 1) for _ in range(data.ConsumeIntInRange(0, 3))
    }  # fmt: skip


def one(raw: bytes) -> None:
    """Try one input."""
    data = atheris.FuzzedDataProvider(raw)
    if data.ConsumeBool():
        text = json.dumps([tree_of(data)], ensure_ascii=data.ConsumeBool())  # a bare number is a text like any other
        once = REDACTOR.text(text)
        json.loads(once)
        needles: tuple[str, ...] = NEEDLES
    else:
        needle = data.PickValueInList(list(NEEDLES))
        before, after = data.ConsumeUnicode(40), data.ConsumeUnicode(40)
        gap = data.PickValueInList(list(BETWEEN))
        once = REDACTOR.text(f"{before}{gap}{needle}{gap}{after}")
        needles = (needle,)
    if FAILED in once:
        raise RuntimeError(f"a detector broke: {once!r}")
    for needle in needles:
        if needle in once:
            raise RuntimeError(f"{needle} survived: {once!r}")
    if REDACTOR.text(once) != once:
        raise RuntimeError(f"not idempotent: {once!r} became {REDACTOR.text(once)!r}")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
