"""
Where to stand in clients that Stainless generates.

They send everything through one method, which sees the URL and the JSON that is about to go out.  Standing there covers
``create()``, ``parse()``, ``stream()``, beta and raw forms at once; retries happen inside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from ._adapter import Endpoint, Found, Peer, Seam
from ._wire import fields

__all__ = ["Lookup", "by_path", "stainless"]

Lookup = Callable[[str, str], "Endpoint | tuple[Endpoint, Mapping[str, Any]] | None"]
"""From the HTTP method and the path to an endpoint; with it, what the path alone says of the request."""

_OPTIONS: Final = 1  # request(cast_to, options, ...)
_PARSER: Final = "post_parser"
_MAX_KNOWN: Final = 64  # paths whose endpoint is remembered


def by_path(routes: Mapping[str, Endpoint]) -> Lookup:
    """
    Look POSTed paths up in *routes*, whose keys are the last one or two segments, e.g. ``/chat/completions``.

    What stands before them (a base URL, ``/v1``, an Azure deployment) makes no difference.
    """

    def lookup(method: str, path: str) -> Endpoint | None:
        if method not in ("post", "POST"):
            return None
        if (found := routes.get(path)) is not None:
            return found
        path = path.rstrip("/")
        last = path.rfind("/")
        if last < 0:
            return None
        before = path.rfind("/", 0, last)
        return (routes.get(path[before:]) if before >= 0 else None) or routes.get(path[last:])

    return lookup


def stainless(package: str, lookup: Lookup, peer: Callable[[Any], Peer]) -> Seam:
    """The seam of the Stainless client *package*."""
    known: dict[tuple[str, str], Endpoint] = {}

    def recognize(client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found | None:
        options = args[_OPTIONS] if len(args) > _OPTIONS else kwargs.get("options")
        said = fields(options)  # a pydantic object's own dictionary: its attributes cost ten times an item
        url, method = said.get("url"), said.get("method", "")
        if not isinstance(url, str):
            return None
        found = known.get((method, url)) or lookup(method, url.partition("?")[0] if "?" in url else url)
        if found is None:
            return None
        if isinstance(found, Endpoint):
            if len(known) < _MAX_KNOWN:
                known[method, url] = found
            body = said.get("json_data")
            if type(body) is dict and not absent(package).isdisjoint(map(type, body.values())):
                body = {name: value for name, value in body.items() if type(value) not in absent(package)}
            # the caller's `extra_body`, merged only when it is sent
            body = _merged(body, extra) if (extra := said.get("extra_json")) else body or {}
            return Found(found, body, peer(client), (options, _PARSER) if callable(said.get(_PARSER)) else None)
        endpoint, told = found
        return Found(endpoint, {**_query(said), **told}, peer(client))

    return Seam(f"{package}._base_client", "SyncAPIClient.request", "AsyncAPIClient.request", recognize)


@cache
def absent(package: str) -> frozenset[type]:
    """The classes by which *package* marks what the caller left out; some versions take it out late."""
    types = sys.modules.get(f"{package}._types")
    found = (getattr(types, name, None) for name in ("Omit", "NotGiven"))
    return frozenset(kind for kind in found if isinstance(kind, type))


def _merged(body: Any, extra: Any) -> Any:
    if isinstance(extra, Mapping):
        return {**body, **extra} if isinstance(body, Mapping) else extra
    return {} if body is None else body


def _query(options: Mapping[str, Any]) -> Mapping[str, Any]:
    query = options.get("params")
    return query if isinstance(query, Mapping) else {}
