"""
What the engine needs to know about an LLM client.

An adapter says *where to stand* (seams) and *how to read* what goes by (endpoints).  It holds no control flow and
imports no client.  Readers are plain functions that work on a client's objects and on the same data as JSON alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..model import Draft, Message, Part, Request, Response

__all__ = ["Adapter", "Endpoint", "Found", "Peer", "Seam", "dig", "pick"]


def _never_streams(draft: Draft, chunk: Any) -> None:
    """The default for endpoints that do not stream."""


def _no_messages(body: Any) -> tuple[list[Part], list[Message]]:  # noqa: ARG001
    return [], []


def _no_tools(body: Any) -> list[dict[str, Any]]:  # noqa: ARG001
    return []


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One operation of a provider, and how to read it.

    *read_request* gets the body that is about to be sent and is called for every call: it must be cheap.
    *read_messages* (system parts, input messages) and *read_tools* (tool definitions in the convention's shape) are
    called only when content is captured.  *read_response* gets the answer, and whether to fill in its messages.
    *fold* gets the chunks of a stream one by one, each a moment before the user does.  *attributes* stand on every
    span of the endpoint.
    """

    operation: str
    read_request: Callable[[Any], Request]
    read_response: Callable[[Any, bool], Response]
    fold: Callable[[Draft, Any], None] = _never_streams
    read_messages: Callable[[Any], tuple[list[Part], list[Message]]] = _no_messages
    read_tools: Callable[[Any], list[dict[str, Any]]] = _no_tools
    attributes: Mapping[str, Any] = field(default_factory=dict)
    history: str | None = None
    """The key of the body whose list *read_messages* reads item by item, each for itself."""
    inference: bool = True
    """Whether tokens are bought here; false for polls, counts and the like, which have no usage and no step."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who answers: the provider's name in the convention, and the server where known."""

    provider: str
    address: str | None = None
    port: int | None = None


class Found(NamedTuple):
    """
    A call that is our business: which endpoint, the body to read, and who answers.

    *parser* tells where the function is that makes the caller's result of the answer: an object and an attribute.
    """

    endpoint: Endpoint
    body: Any
    peer: Peer
    parser: tuple[Any, str] | None = None


@dataclass(frozen=True, slots=True)
class Seam:
    """
    A method, in its sync and async form, that interesting calls go through.

    *recognize* gets the client object, the positional and the keyword arguments, and returns what it found or `None`
    when the call is none of our business.  *unpack* gets the model's answer out of what the client returned, where
    that is not it itself.
    *inside* tells where in the result the thing is that the user will read later: a mapping and a key, so that
    something can be put in its place; `None` when the result is all here.  An *optional* method is one that not
    every version has.
    """

    module: str
    sync: str | None
    asyncio: str | None
    recognize: Callable[[Any, tuple[Any, ...], Mapping[str, Any]], Found | None]
    unpack: Callable[[Any], Any] | None = None
    inside: Callable[[Any], tuple[Any, str] | None] | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Adapter:
    """
    One client package.

    *oldest* is the oldest version that is tested.  *speaks_otel* gives the tracer that a client object makes its own
    GenAI spans with, or what is false; *quiet* is the environment variable and value that turn them off, the package's
    public switch; *voices* are the functions and tracers, ``module:name``, that begin those spans, and *speaks* is
    what every version has that makes them, ``module:Class.name``: without a voice it is kept silent.  *covers*
    says that the package calls other clients itself: what they do inside one of its calls is that call, not another.
    *unseen* is what costs money and is not watched, for the manual.
    """

    package: str
    distribution: str
    oldest: str
    seams: tuple[Seam, ...]
    speaks_otel: Callable[[Any], Any] | None = None
    quiet: tuple[str, str] | None = None
    voices: tuple[str, ...] = ()
    speaks: str = ""
    covers: bool = False
    unseen: str = ""


def dig(data: Any, *path: str | int) -> Any:
    """Follow *path* through objects, mappings and sequences; `None` where it ends."""
    for key in path:
        if data is None:
            return None
        if isinstance(data, Mapping):
            data = data.get(key)
        elif isinstance(key, int):
            data = data[key] if -len(data) <= key < len(data) else None
        else:
            data = getattr(data, key, None)
    return data


def pick(data: Any, paths: Mapping[str, tuple[str | int, ...]]) -> dict[str, Any]:
    """Read several *paths* at once, leaving out what is not there."""
    found = {}
    for name, path in paths.items():
        if (value := dig(data, *path)) is not None:
            found[name] = value
    return found
