from __future__ import annotations

import datetime as dt
import decimal
import subprocess
import sys
from decimal import Decimal
from types import SimpleNamespace

import pytest
from genai_prices import types
from hypothesis import given
from hypothesis import strategies as st

from spanledger import pricing, semconv, shield
from spanledger.config import Settings
from spanledger.errors import ConfigurationError
from spanledger.model import Usage
from spanledger.pricing import gate
from spanledger.pricing.table import engine

CHEAP = "gpt-4o-mini"


def ns(year, month, day, hour=0, minute=0):
    return int(dt.datetime(year, month, day, hour, minute, tzinfo=dt.timezone.utc).timestamp()) * 10**9


AT = ns(2026, 11, 20, 12)


@pytest.fixture(autouse=True)
def _no_overrides():
    pricing.forget()
    yield
    pricing.forget()


def price(usage, provider="openai", model=CHEAP, **words):
    return pricing.price(usage, provider=provider, model=model, **{"at": AT, **words})


OLD = not hasattr(types, "_providers_from_raw")
lists_all = pytest.mark.skipif(OLD, reason=f"NOT TESTED: {engine()} lists no price for it")

# USD per million tokens, from the providers' own lists
HAND = [
    ("openai", "gpt-4o-mini-2024-07-18", Usage(uncached=1000, output=100), "0.00021"),
    ("openai", "gpt-4.1", Usage(uncached=1500, cache_read=500, output=200), "0.00485"),
    ("openai", "gpt-5", Usage(uncached=0, cache_read=1_000_000, output=0), "0.125"),
    ("openai", "text-embedding-3-small", Usage(uncached=50_000), "0.001"),
    ("openai", "ft:gpt-4o-mini-2024-07-18:acme::x1", Usage(uncached=1_000_000, output=0), "0.3"),
    ("anthropic", "claude-opus-4-6", Usage(uncached=100, cache_read=1000, cache_write=2000, output=10), "0.01375"),
    pytest.param(
        "anthropic", "claude-opus-4-6",
        Usage(uncached=100, cache_read=1000, cache_write=2000, cache_write_1h=500, output=10), "0.015625",
        marks=lists_all,
    ),
    pytest.param(
        "anthropic", "claude-opus-4-6", Usage(uncached=0, output=0, requests={"web_search": 2}), "0.02",
        marks=lists_all,
    ),
    ("gcp.gemini", "models/gemini-2.5-flash", Usage(uncached=1000, output=100, reasoning=60), "0.00055"),
    ("gcp.gemini", "gemini-2.5-flash", Usage(uncached=1000, input_audio=400, output=0), "0.00058"),
    ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", Usage(uncached=200_001, output=10), "0.5001525"),
    ("gcp.gen_ai", "gemini-2.5-pro", Usage(uncached=200_000, output=10), "0.2501"),
    ("x_ai", "grok-4-0709", Usage(uncached=1000, output=100), "0.0045"),
    ("aws.bedrock", "amazon.nova-lite-v1:0", Usage(uncached=1_000_000, output=0), "0.06"),
    (
        "aws.bedrock",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        Usage(uncached=1000, output=100), "0.00495",
    ),
    ("azure.ai.openai", "gpt-4o-2024-08-06", Usage(uncached=1000, output=100), "0.0035"),
    ("openrouter", "anthropic/claude-sonnet-4.5", Usage(uncached=1000, output=100), "0.0045"),
    ("groq", "openai/gpt-oss-120b", Usage(uncached=1_000_000, output=0), "0.15"),
    ("perplexity", "sonar", Usage(uncached=1000, output=100), "0.0131"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "model", "usage", "dollars"), HAND, ids=lambda v: v if isinstance(v, str) else "")
def test_costs_what_the_providers_own_arithmetic_says(provider, model, usage, dollars):
    found = price(usage, provider, model, operation="embeddings" if usage.output is None else "chat")
    assert (found.amount, found.status, found.source) == (Decimal(dollars), "priced", "genai-prices")
    assert found.version.startswith("genai-prices/")


@pytest.mark.parametrize(
    ("usage", "words", "status"),
    [
        (Usage(), {}, "no_usage"),
        (Usage(uncached=-5, cache_read=10, output=1), {}, "inconsistent_usage"),  # cached above the input
        (Usage(uncached=5, output=1, reasoning=2), {}, "inconsistent_usage"),
        (Usage(uncached=5, cache_write=1, cache_write_1h=2, output=1), {}, "inconsistent_usage"),
        (Usage(uncached=5, input_audio=6, output=1), {}, "inconsistent_usage"),
        (Usage(uncached=5, output=1, requests={"web_search": -1}), {}, "inconsistent_usage"),
        (Usage(uncached=5, output=1, cost=-1.0), {}, "inconsistent_usage"),
        (Usage(uncached=5, output=1, cost=float("nan")), {}, "inconsistent_usage"),
        (Usage(uncached=5, output=1), {"model": "gpt-4o-banana"}, "unknown_model"),
        (Usage(uncached=5, output=1), {"model": None}, "unknown_model"),
        (Usage(uncached=5, output=1), {"provider": "ollama", "model": "gpt-4o"}, "unknown_model"),
        (Usage(uncached=5, output=1), {"provider": "openrouter", "model": "meta-llama/llama-3.3-70b-instruct:free"},
         "unknown_model"),
        (Usage(uncached=5, output=1), {"provider": "openai", "model": "whisper-1"}, "unknown_model"),
        (Usage(uncached=5, output=1), {"tier": "scale"}, "unsupported_tier"),
        (Usage(uncached=5, output=1), {"model": "gpt-5", "tier": "batch", "at": ns(2026, 1, 1)}, "unsupported_tier"),
        (Usage(uncached=5, output=1), {"operation": "invoke_agent"}, "counted_in_child"),
        (Usage(uncached=5, output=1), {"provider": "aws.bedrock",
         "model": "arn:aws:bedrock:us-east-1:1:application-inference-profile/claude-3-haiku"}, "unknown_model"),
    ],
)  # fmt: skip
def test_says_why_there_is_no_price(usage, words, status):
    found = price(usage, **words)
    assert (found.amount, found.status) == (None, status)
    assert found.status in pricing.STATUSES


@pytest.mark.parametrize(
    ("usage", "words", "units"),
    [
        (Usage(uncached=100, input_audio=50, output=10), {}, ("input_audio_tokens",)),
        (Usage(uncached=100, output=10, requests={"file_scan": 1}), {}, ("file_scan",)),
        (Usage(uncached=100, cache_write=10, output=10), {}, ("cache_write_tokens",)),
        (Usage(uncached=100), {}, ("output_tokens",)),
        (Usage(output=100), {}, ("input_tokens",)),
        pytest.param(Usage(uncached=1, output=1), {"provider": "perplexity", "model": "sonar-deep-research"},
                     ("output_citation_tokens",), marks=lists_all),
    ],
)  # fmt: skip
def test_is_partial_when_a_unit_has_no_price_of_its_own(usage, words, units):
    found = price(usage, **words)
    assert (found.status, found.unpriced_units) == ("partial", units)
    assert found.amount > 0


def test_what_has_no_price_at_all_is_not_zero():
    found = price(Usage(uncached=0, output=0, requests={"file_scan": 3}))
    assert (found.amount, found.status, found.unpriced_units) == (None, "unknown_model", ("file_scan",))


def test_what_the_provider_says_it_bills_is_what_it_costs():
    """Cohere: https://docs.cohere.com/docs/how-does-cohere-pricing-work"""
    usage = Usage(uncached=1000, cache_read=1440, output=300, billed_input=51, billed_output=13)
    found = price(usage, "cohere", "command-a")
    assert (found.amount, found.status) == (Decimal("0.0002575"), "priced")
    spelled = {}
    semconv.put_usage(usage, spelled)
    assert price(semconv.usage_of(spelled), "cohere", "command-a").amount == found.amount
    assert price(Usage(uncached=9, output=1, billed_input=-1), "cohere", "command-a").status == "inconsistent_usage"


def test_zero_units_need_no_price():
    usage = Usage(uncached=100, input_audio=0, cache_write=0, output=0, requests={"web_search": 0, "x": 0})
    assert price(usage).status == "priced"


def test_asks_the_response_model_first_and_the_requested_one_then():
    usage = Usage(uncached=1_000_000, output=0)
    assert price(usage, model="gpt-4o", request_model=CHEAP).amount == Decimal("2.5")
    assert price(usage, model="gpt-4o-banana", request_model=CHEAP).amount == Decimal("0.15")
    assert price(usage, model=None, request_model=CHEAP).amount == Decimal("0.15")


def test_never_guesses_what_an_azure_deployment_is():
    usage = Usage(uncached=1_000_000, output=0)
    assert price(usage, "azure.ai.openai", None, request_model="gpt-4o").status == "unknown_model"
    pricing.alias("azure.ai.openai", "prod-*", "azure:gpt-4o")
    assert price(usage, "azure.ai.openai", None, request_model="prod-eu").amount == Decimal("2.5")


@lists_all
def test_prices_tiers_that_the_table_knows():
    usage = Usage(uncached=1_000_000, output=0)
    assert price(usage, model="gpt-5", tier="default").amount == Decimal("1.25")
    assert price(usage, model="gpt-5", tier="flex").amount == Decimal("0.625")
    assert price(usage, model="gpt-5", tier="priority").amount == Decimal("2.5")
    assert price(usage, "anthropic", "claude-opus-4-6", tier="standard").amount == Decimal(5)
    assert price(usage, "anthropic", "claude-opus-4-6", tier="batch").amount == Decimal("2.5")
    assert price(usage, "anthropic", "claude-opus-4-8", tier="fast").amount == Decimal(10)
    for tier in ("us", "priority+fast"):
        assert price(usage, "anthropic", "claude-opus-4-8", tier=tier).status == "unsupported_tier"


@lists_all
def test_prices_a_grounded_prompt_and_each_query():
    """https://ai.google.dev/gemini-api/docs/pricing"""
    prompt, queries = Usage(uncached=0, output=0, requests={"grounded_prompt": 1}), {"google_search": 2}
    assert price(prompt, "gcp.gemini", "gemini-2.5-flash").amount == Decimal("0.035")
    assert price(Usage(uncached=0, output=0, requests=queries), "gcp.gemini", "gemini-3.5-flash").amount == Decimal(
        "0.028"
    )
    found = price(Usage(uncached=9, output=0, requests={"google_maps": 1}), "gcp.gemini", "gemini-2.5-flash")
    assert (found.status, found.unpriced_units) == ("partial", ("google_maps",))


def test_prices_at_the_calls_own_time():
    usage = Usage(uncached=1_000_000, output=0)
    day, night = ns(2026, 11, 20, 10), ns(2026, 11, 20, 17)
    for _ in range(2):  # the second time from what is remembered
        assert price(usage, "deepseek", "deepseek-chat", at=day).amount == Decimal("0.27")
        assert price(usage, "deepseek", "deepseek-chat", at=night).amount == Decimal("0.135")
    assert price(usage, "deepseek", "deepseek-chat", at=ns(2026, 11, 20, 16, 30) - 1).amount == Decimal("0.27")
    assert price(usage, "deepseek", "deepseek-chat", at=ns(2026, 11, 20, 16, 30)).amount == Decimal("0.135")
    assert price(usage, "deepseek", "deepseek-chat", at=ns(2026, 11, 21, 0, 29)).amount == Decimal("0.135")


def test_takes_what_the_provider_says_it_cost():
    found = price(Usage(uncached=1, output=1, cost=0.0123), "openrouter", "made/up")
    assert (found.amount, found.status, found.source) == (Decimal("0.0123"), "priced", "provider")


def test_price_call_reads_a_settled_call():
    call = SimpleNamespace(
        usage=Usage(uncached=1000, output=100), provider="openai", model=CHEAP, request_model=None, started=AT,
        tier=None, operation="chat",
    )  # fmt: skip
    assert pricing.price_call(call).amount == Decimal("0.00021")


def test_the_threads_decimal_context_does_not_change_a_price():
    with decimal.localcontext() as context:
        context.prec = 2
        assert price(Usage(uncached=123_457, output=1)).amount == Decimal("0.01851915")


def test_a_mistake_of_ours_is_counted_and_never_raised(monkeypatch):
    shield.strict(False)
    monkeypatch.setattr(gate.table, "find", lambda *_: 1 / 0)
    monkeypatch.setattr(gate, "_remembered", {})
    before = shield.failures["pricing a call"]
    assert price(Usage(uncached=1, output=1), model="some-new-name").status == "unknown_model"
    assert shield.failures["pricing a call"] == before + 1


def test_remembers_a_bounded_number_of_models(monkeypatch):
    monkeypatch.setattr(gate, "MAX_REMEMBERED", 8)
    monkeypatch.setattr(gate, "_remembered", {})
    for number in range(50):
        price(Usage(uncached=1, output=1), "ollama", f"m{number}")
    assert len(gate._remembered) == 8


def test_nothing_heavy_is_imported_before_the_first_price():
    code = (
        "import sys, spanledger.pricing as p; from spanledger.model import Usage\n"
        "assert 'genai_prices' not in sys.modules\n"
        "p.price(Usage(), provider='openai', model='gpt-4o', at=0)\n"
        "assert 'genai_prices' not in sys.modules\n"
        "p.warm(); assert 'genai_prices' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# --- the library's own arithmetic ----------------------------------------------------------------------------------


count = st.integers(0, 3_000_000)


@given(st.data(), count, count, count, count, st.integers(0, 2_000_000_000))
def test_equals_the_library_where_the_library_can_tell(data, fresh, read, write, output, ago):
    from genai_prices import Usage as Theirs
    from genai_prices import calc_price

    models = [entry for entry in gate.table if entry[0] in ("openai", "anthropic", "google", "aws", "x-ai", "deepseek")]
    provider, model = data.draw(st.sampled_from(models))
    at = AT - ago * 10**9
    usage = Usage(uncached=fresh, cache_read=read, cache_write=write, output=output)
    ours = pricing.price(usage, provider=provider, model=model.id, at=at)
    if ours.amount is None:
        assert ours.status == "unknown_model"
        return
    usage = Theirs(
        input_tokens=fresh + read + write, cache_read_tokens=read, cache_write_tokens=write, output_tokens=output
    )
    when = dt.datetime.fromtimestamp(at // 10**9, tz=dt.timezone.utc)
    theirs = calc_price(usage, model.id, provider_id=provider, genai_request_timestamp=when)
    assert ours.amount == theirs.total_price
    assert ours.amount >= 0


FIELDS = (
    "uncached", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning", "input_audio", "input_image",
    "cache_read_audio", "output_audio", "output_image",
)  # fmt: skip


@given(st.fixed_dictionaries({name: st.none() | st.integers(-1, 100) for name in FIELDS}))
def test_an_amount_is_never_negative_and_an_unknown_one_is_never_zero(tokens):
    usage = Usage(**tokens)
    for provider, model in (("gcp.gemini", "gemini-2.5-flash"), ("openai", "gpt-4o"), ("ollama", "x")):
        found = price(usage, provider, model)
        if found.amount is None:
            assert found.status in ("inconsistent_usage", "unknown_model", "no_usage")
        else:
            assert found.amount >= 0
            assert (found.amount == 0) == (not usage.total)


@given(count, count, count, count)
def test_costs_of_two_calls_add_up(fresh, read, output, more):
    one = Usage(uncached=fresh, cache_read=read, output=output)
    two = Usage(uncached=more, cache_read=0, output=more)
    both = Usage(uncached=fresh + more, cache_read=read, output=output + more)
    assert price(one).amount + price(two).amount == price(both).amount


# --- your own prices -----------------------------------------------------------------------------------------------

FILE = """
version = 1
[[alias]]
provider = "azure.ai.openai"
match = "prod-eu-*"
to = "azure:gpt-4o"
[[price]]
provider = "azure.ai.openai"
match = "gpt-4o"
from = 2026-01-01
currency = "USD"
input_mtok = "2.125"
output_mtok = 8.5
cache_read_mtok = "1.0625"
web_search_k = "10"
source = "contract 2026-17"
[[price]]
provider = "azure.ai.openai"
match = "gpt-4o"
from = 2026-06-01
input_mtok = "2"
output_mtok = "8"
[[price]]
provider = "ollama"
match = "*"
free = true
[[price]]
provider = "vllm"
match = "big-*"
input_window = 32768
"""


@pytest.fixture
def price_file(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text(FILE)
    return path


def test_the_price_file_comes_before_the_table(price_file):
    pricing.configure(price_file)
    usage = Usage(uncached=1_000_000, output=0, requests={"web_search": 1})
    spring = price(usage, "azure.ai.openai", "prod-eu-2", at=ns(2026, 3, 1))
    assert (spring.amount, spring.source, spring.version) == (Decimal("2.135"), "override", "contract 2026-17")
    autumn = price(Usage(uncached=1_000_000, output=0), "azure.ai.openai", "gpt-4o")
    assert autumn.amount == Decimal(2)
    assert autumn.version.startswith("sha256:")
    before = price(Usage(uncached=1_000_000, output=0), "azure.ai.openai", "gpt-4o", at=ns(2025, 3, 1))
    assert before.source == "genai-prices"
    assert pricing.context_window("vllm", "big-one") == 32768


def test_only_a_model_that_was_said_to_be_free_costs_zero(price_file):
    usage = Usage(uncached=1000, output=10, requests={"x": 1})
    assert price(usage, "ollama", "llama3").amount is None
    pricing.configure(price_file)
    found = price(usage, "ollama", "llama3")
    assert (found.amount, found.status, found.unpriced_units) == (0, "priced", ())
    pricing.configure(None)
    assert price(usage, "ollama", "llama3").amount is None


def test_code_comes_before_the_file(price_file):
    pricing.configure(price_file)
    pricing.override("azure.ai.openai", "gpt-4o", input_mtok=1, output_mtok="3", from_="2026-05-05")
    assert price(Usage(uncached=1_000_000, output=0), "azure.ai.openai", "gpt-4o").amount == Decimal(1)


def test_an_override_is_for_the_tier_that_it_names():
    pricing.override("openai", "gpt-5", input_mtok="1", output_mtok="1", tier="scale")
    usage = Usage(uncached=1_000_000, output=0)
    assert price(usage, model="gpt-5", tier="scale").amount == Decimal(1)
    assert price(usage, model="gpt-5", tier="auto").amount == Decimal("1.25")


def test_a_price_file_may_be_json(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text('{"version": 1, "price": [{"provider": "vllm", "match": "*", "output_mtok": "2"}]}')
    pricing.configure(path)
    found = price(Usage(uncached=10, output=1_000_000), "vllm", "m")
    assert (found.amount, found.status, found.unpriced_units) == (Decimal(2), "partial", ("input_tokens",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = 2", "version = 1"),
        ("version = 1\nprize = 1", "did you mean 'price'"),
        ("version = ", "not valid TOML"),
        ("version = 1\n[[price]]\nprovider = 'a'\nmatch = 'b'\ninput_mtk = 1", "unknown key 'input_mtk'; did you"),
        ("version = 1\n[[price]]\nprovider = 'a'\nmatch = 'b'\ninput_mtok = '-1'", "not negative"),
        ("version = 1\n[[price]]\nprovider = 'a'\nmatch = 'b'\ninput_mtok = 'x'", "input_mtok is 'x'"),
        ("version = 1\n[[price]]\nprovider = 'a'\nmatch = 'b'\ninput_mtok = true", "input_mtok is True"),
        ("version = 1\n[[price]]\nprovider = 'a'\nmatch = 'b'\ninput_mtok = 0", "free = true"),
        ("version = 1\n[[price]]\nprovider = 'a'\nmatch = 'b'\nfree = true\ninput_mtok = 1", "without prices"),
        ("version = 1\n[[price]]\nprovider = 'a'\nmatch = 'b'", "has no price"),
        ("version = 1\n[[price]]\nprovider = 'a'\nfree = true", "match is None"),
        ("version = 1\n[[price]]\nprovider = 'a'\nmatch = 'b'\nfree = true\ncurrency = 'EUR'", "prices are in 'USD'"),
        ("version = 1\n[[price]]\nprovider = 'a'\nmatch = 'b'\nfree = true\nfrom = 'soon'", "must be a day"),
        ("version = 1\n[[alias]]\nprovider = 'a'\nmatch = 'b'\nto = 'gpt-4o'", "provider:model"),
    ],
)
def test_a_bad_price_file_is_an_error_that_names_the_place(tmp_path, text, words):
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"prices\.toml") as caught:
        pricing.configure(path)
    assert words in str(caught.value)


def test_a_missing_price_file_is_an_error(tmp_path):
    with pytest.raises(ConfigurationError, match="SPANLEDGER_PRICES"):
        pricing.configure(tmp_path / "none.toml")


def test_the_setting_names_the_price_file(tmp_path):
    assert Settings.load({"SPANLEDGER_PRICES": str(tmp_path / "p.toml")}).prices == tmp_path / "p.toml"


def test_knows_how_much_input_a_model_takes():
    assert pricing.context_window("openai", "gpt-4o") == 128_000
    assert pricing.context_window("openai", "gpt-5") == 272_000  # the published 400,000 count the output in
    assert pricing.context_window("openai", "nothing") is None
    assert pricing.context_window("openai", None) is None
