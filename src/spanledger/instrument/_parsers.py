"""
Functions that make the caller's result of a client's answer, e.g. an object of the caller's own class.

They run inside the client after the answer is here; what they can't read was paid for all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..model import Response
from ..shield import shield

if TYPE_CHECKING:
    from ._calls import Call

__all__ = ["listen", "refused"]

_REFUSING: Final = "APIResponseValidationError"
"""What clients raise that validate answers strictly; it has the answer."""


class _Parser:
    """A client's *parser*, and the call that is told of an answer which it can't read."""

    __slots__ = ("_call", "parser")

    def __init__(self, parser: Any, call: Call) -> None:
        self.parser = parser
        self._call = call

    def __call__(self, answer: Any) -> Any:
        try:
            return self.parser(answer)
        except Exception as error:
            call = self._call
            with shield("reading an answer that its client can't read"):
                call.read(answer)
            if call.streaming:
                call.finish_stream("error", error)
            raise


def listen(call: Call, holder: Any, name: str) -> None:
    """Hear of answers that the function which *holder* keeps under *name* can't read."""
    parser = getattr(holder, name)
    if isinstance(parser, _Parser):  # the caller sends the same options again
        parser = parser.parser
    setattr(holder, name, _Parser(parser, call))


def refused(call: Call, error: BaseException | None) -> Response | None:
    """The answer that *error* says its client can't read, if that is what it says."""
    answer = getattr(error, "body", None) if type(error).__name__ == _REFUSING else None
    if isinstance(answer, dict):
        with shield("reading an answer that its client can't read"):
            return call.endpoint.read_response(answer, call.engine.content)
    return None
