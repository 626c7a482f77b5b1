"""Agent frameworks: their runs and tools are ours."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Final

from ..patching import Patches
from . import (
    ag2,
    autogen,
    claude_agent_sdk,
    crewai,
    dspy,
    google_adk,
    langgraph,
    langsmith,
    litellm,
    llama_index,
    mcp,
    openai_agents,
    pydantic_ai,
    smolagents,
    strands,
)
from ._framework import Framework, Hook

__all__ = ["FRAMEWORKS", "Framework", "Frameworks", "Hook", "watch_frameworks"]

FRAMEWORKS: Final = (
    ag2.FRAMEWORK, autogen.FRAMEWORK, claude_agent_sdk.FRAMEWORK, crewai.FRAMEWORK, dspy.FRAMEWORK,
    google_adk.FRAMEWORK, langgraph.FRAMEWORK, langgraph.TOOLS, langsmith.FRAMEWORK, litellm.FRAMEWORK,
    llama_index.FRAMEWORK, mcp.FRAMEWORK, openai_agents.FRAMEWORK, pydantic_ai.FRAMEWORK,
    smolagents.FRAMEWORK, strands.FRAMEWORK,
)  # fmt: skip


class Frameworks:
    """What `watch_frameworks` did; `undo` takes it back, also at the end of a ``with`` block."""

    def __init__(self, patches: Patches) -> None:
        self._patches = patches

    @property
    def watched(self) -> list[str]:
        """What is wrapped, ``module:name``."""
        return list(self._patches.done)

    @property
    def missing(self) -> dict[str, str]:
        """What should be wrapped and could not be: ``module:name`` -> why."""
        return dict(self._patches.missing)

    def undo(self) -> None:
        """Put back the very same objects."""
        self._patches.undo()

    def __enter__(self) -> Frameworks:  # noqa: PYI034 - Self is not in 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.undo()


def watch_frameworks(frameworks: Iterable[Framework] = FRAMEWORKS) -> Frameworks:
    """Watch each of *frameworks*: those that are imported now, the others as soon as they are."""
    patches = Patches()
    for framework in frameworks:
        framework.put_on(patches)
    return Frameworks(patches)
