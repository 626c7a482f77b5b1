"""Which spanledger this is: for the instrumentation scope of what it emits, the journal and the command."""

from __future__ import annotations

from typing import Final

__all__ = ["SCOPE", "__version__"]

__version__: Final = "0.1.0"

SCOPE: Final = "spanledger"
"""The name of the instrumentation scope."""
