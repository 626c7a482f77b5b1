"""
Functions that make the caller's result of a client's answer, e.g. an object of the caller's own class.

They run inside the client after the answer is here; what they can't read was paid for all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..shield import shield

if TYPE_CHECKING:
    from ._calls import Call

__all__ = ["listen"]


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
