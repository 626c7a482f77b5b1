"""
The tools of the support agent: customers, orders, help pages, e-mail.  Everything behind them is made up.

Orders live behind a search that is having a bad day: it refuses some requests for being too many and is down for
others, always in the same order.
"""

from __future__ import annotations

import itertools
import time

__all__ = ["TOOLS", "lookup_customer", "search_help_pages", "search_orders", "send_email"]

_CUSTOMERS = {
    "C-1042": {"id": "C-1042", "name": "Dana Whitfield", "plan": "business", "since": "2021-03-02"},
}
_ORDERS = [
    {"id": "A-77310", "customer": "C-1042", "item": "label printer", "charged": 2, "amount": "129.00 EUR"},
]
_PAGES = {"refund": "A duplicate charge is refunded to the card it came from within five working days."}

_order_backend = itertools.chain([429, 503, 429, 200, 503], itertools.repeat(200))
"""What the search behind `search_orders` answers, request by request."""


class BackendUnavailable(Exception):
    """The search behind a tool is down."""

    def __init__(self, status_code: int) -> None:
        super().__init__(f"order search answered {status_code}")
        self.status_code = status_code


def lookup_customer(email: str) -> dict:
    """Find the customer with this e-mail address."""
    time.sleep(0.01)
    return {**_CUSTOMERS["C-1042"], "email": email}


def search_orders(query: str) -> dict:
    """Search the orders of all customers."""
    time.sleep(0.02)
    status = next(_order_backend)
    if status == 429:
        return {"error": "too many requests, try again later", "status": 429}
    if status != 200:
        raise BackendUnavailable(status)
    return {"orders": _ORDERS, "query": query}


def search_help_pages(topic: str) -> dict:
    """Search the help pages."""
    return {"pages": [text for word, text in _PAGES.items() if word in topic.lower()]}


def send_email(to: str, subject: str, body: str) -> dict:
    """Send an e-mail to the customer."""
    time.sleep(0.01)
    return {"sent": True, "to": to, "characters": len(subject) + len(body)}


TOOLS = {tool.__name__: tool for tool in (lookup_customer, search_orders, search_help_pages, send_email)}
