"""
DSPy: the outermost module's call is a run, a tool's call a tool call.

https://github.com/stanfordnlp/dspy
"""

from __future__ import annotations

import sys
from typing import Any, Final

from ._framework import Framework, Hook, around
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun | None:  # noqa: ARG001
    settings = sys.modules["dspy.dsp.utils.settings"].settings
    return None if settings.caller_modules else FrameworkRun(type(instance).__name__)


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool | None:  # noqa: ARG001
    return None if instance.name == "finish" else FrameworkTool(instance.name, dict(kwargs))


FRAMEWORK: Final = Framework("dspy", "3.0", (
    Hook("dspy.primitives.module", ("Module.__call__",), around(_run)),
    Hook("dspy.primitives.module", ("Module.acall",), around(_run)),
    Hook("dspy.adapters.types.tool", ("Tool.__call__",), around(_tool)),
    Hook("dspy.adapters.types.tool", ("Tool.acall",), around(_tool)),
))  # fmt: skip
