"""
Usage and model to money, or to the reason why there is none.  The only package that knows the price library.

An amount exists only where somebody said the price: the provider in its answer, your override, or the price library.
Everything else has a status instead, never a zero.  Nothing heavy is imported before the first price is asked for.
"""

from __future__ import annotations

from .gate import context_window, estimate, known_window, price, price_call, use_table, version, warm
from .listing import count, fetched_table, listed, update
from .money import MONEY, STATUSES, Price
from .overrides import alias, check_file, configure, forget, override

__all__ = [
    "MONEY",
    "STATUSES",
    "Price",
    "alias",
    "check_file",
    "configure",
    "context_window",
    "count",
    "estimate",
    "fetched_table",
    "forget",
    "known_window",
    "listed",
    "override",
    "price",
    "price_call",
    "update",
    "use_table",
    "version",
    "warm",
]
