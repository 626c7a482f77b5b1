from __future__ import annotations

import http.server
import json
import threading
import time
from decimal import Decimal

import pytest
from genai_prices import types

from recorded import BEGAN
from spanledger import pricing, shield
from spanledger.config import Settings
from spanledger.model import Usage


@pytest.fixture(autouse=True)
def _as_before():
    yield
    pricing.forget()
    pricing.use_table(None)


@pytest.fixture
def served():
    """A table of our own on loopback; `served.body` is what it answers."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.body)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.url = f"http://127.0.0.1:{server.server_address[1]}/prices.json"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def table(models):
    found = [
        {"id": f"m{n}", "match": {"equals": f"m{n}"}, "prices": {"input_mtok": n + 1, "output_mtok": 2}}
        for n in range(models)
    ]
    return json.dumps([{"id": "openai", "name": "OpenAI", "api_pattern": "x", "models": found}]).encode()


def price(model):
    return pricing.price(Usage(uncached=1_000_000, output=0), provider="openai", model=model, at=time.time_ns())


def test_shows_what_a_model_costs_and_where_the_price_is_from(call, tmp_path, monkeypatch):
    shown = call("prices", "show", "gpt-4o-mini", "--provider", "openai")
    assert shown.exit_code == 0
    assert "input_mtok               0.15" in shown.output
    assert "128,000 tokens" in shown.output
    data = json.loads(call("prices", "show", "gemini-2.5-pro", "--json").output)
    assert data["version"].startswith("genai-prices/")
    google = next(entry for entry in data["prices"] if entry["provider"] == "google")
    assert google["rates"]["input_mtok"] == {"price": "1.25", "tiers": [{"above": 200000, "price": "2.5"}]}
    file = tmp_path / "p.toml"
    file.write_text('version = 1\n[[price]]\nprovider = "vllm"\nmatch = "house"\ninput_mtok = "1"\nsource = "us"')
    monkeypatch.setenv("SPANLEDGER_PRICES", str(file))
    assert "vllm  house  (override, us)" in call("prices", "show", "house", "--provider", "vllm").output


def test_a_model_that_nobody_knows_is_said(call):
    found = call("prices", "show", "banana-9")
    assert found.exit_code == 1
    assert "SPANLEDGER_PRICES" in found.output


def test_check_names_what_has_no_price_and_what_is_wrong_with_a_file(recorded_path, call, tmp_path):
    found = call("prices", "check", "--since", "2025-01-01", "--json")
    data = json.loads(found.output)
    assert (found.exit_code, data["unpriced"]) == (1, {"house-model": 1})
    bad = tmp_path / "bad.toml"
    bad.write_text("version = 1\n[[price]]\nprovider = 'x'")
    found = call("prices", "check", str(bad))
    assert found.exit_code == 2
    assert "number 1 has no price" in found.output
    assert BEGAN


def test_update_fetches_a_table_that_is_used_from_then_on(call, served):
    served.body = table(150)
    found = call("prices", "update", "--from", served.url)
    assert (found.exit_code, found.output.split(",")[0]) == (0, f"150 models from {served.url}")
    path = pricing.fetched_table(Settings().price_table)
    pricing.use_table(path)
    assert price("m7").amount == Decimal(8)
    assert "+20" in price("m7").version
    assert price("gpt-4o").status == "unknown_model"
    pricing.use_table(None)
    assert price("m7").status == "unknown_model"


def test_a_library_that_can_not_read_a_saved_table_prices_by_its_own(call, served, monkeypatch, caplog):
    served.body = table(150)
    call("prices", "update", "--from", served.url)
    for name in ("_providers_from_raw", "providers_schema"):
        monkeypatch.delattr(types, name, raising=False)
    shield.strict(on=False)
    pricing.use_table(pricing.fetched_table(Settings().price_table))
    assert price("gpt-4o-mini").amount == Decimal("0.15")
    assert price("m7").status == "unknown_model"
    assert "loading the fetched price table" in caplog.text
    found = call("prices", "update", "--from", served.url)
    assert (found.exit_code, "no price table from" in found.output) == (2, True)


@pytest.mark.parametrize("body", [b"no json", b"{}", b'[{"id": 7}]', table(3)])
def test_what_is_no_table_is_not_kept(call, served, body):
    served.body = body
    found = call("prices", "update", "--from", served.url)
    assert found.exit_code == 2
    assert "no price table from" in found.output
    assert pricing.fetched_table(Settings().price_table) is None


def test_a_table_of_another_version_of_the_library_is_not_used(call, served):
    served.body = table(150)
    call("prices", "update", "--from", served.url)
    path = Settings().price_table
    path.write_text(path.read_text().replace('"engine": "genai-prices/', '"engine": "genai-prices/0.0.'))
    assert pricing.fetched_table(path) is None


def test_only_addresses_of_the_web_are_fetched(call):
    assert call("prices", "update", "--from", "file:///etc/passwd").exit_code == 2
