"""
Function calls that Gemini streams argument by argument (``streamFunctionCallArguments``), each told by its JSON path.

https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/FunctionCall
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ._wire import as_list, fields

__all__ = ["add_pieces"]

_STEP: Final = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\[['"]([^'"]*)['"]\]""")
_VALUES: Final = ("stringValue", "numberValue", "boolValue")
_MOST: Final = 1_000
"""The longest list, so that an index cannot fill the memory."""


def add_pieces(arguments: Any, call: Mapping[str, Any]) -> None:
    """Put the pieces that *call* brings where they belong in *arguments*; pieces of one text are joined."""
    if not isinstance(arguments, dict):
        return
    for piece in map(fields, as_list(call.get("partialArgs"))):
        steps = [int(at) if at else name or quoted for name, at, quoted in _STEP.findall(str(piece.get("jsonPath")))]
        value = next((piece[key] for key in _VALUES if piece.get(key) is not None), None)
        if steps:
            _put(arguments, steps, value)


def _put(into: Any, steps: list[Any], value: Any) -> None:
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, int):
            if not isinstance(into, list) or step >= _MOST:
                return
            into.extend([None] * (step + 1 - len(into)))
            known = into[step]
        else:
            if not isinstance(into, dict):
                return
            known = into.get(step)
        if following is None:
            into[step] = known + value if isinstance(known, str) and isinstance(value, str) else value
        elif known is None:
            into[step] = [] if isinstance(following, int) else {}
        into = into[step]
