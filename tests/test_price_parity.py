"""
81 models of twelve sellers cost what their list says, by arithmetic of its own: fractions, not our code.

The figures are USD per million tokens (input, cached input, output) on 20 November 2026 at ten o'clock, UTC; where the
price depends on the size of the input, the line says from where on, and what then.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanledger import pricing
from spanledger.account import ModelCall, Run
from spanledger.journal import Archive, Journal, RunRow
from spanledger.model import Usage
from spanledger.pricing import gate
from spanledger.pricing.table import engine
from spanledger.report.costs import read_costs

OF = "genai-prices/0.2.3"
NOON = dt.datetime(2026, 11, 20, 10, tzinfo=dt.timezone.utc)
AT = int(NOON.timestamp()) * 10**9
LIST = """
openai gpt-4o 2.5 1.25 10
openai gpt-4o-mini 0.15 0.075 0.6
openai gpt-4.1 2 0.5 8
openai gpt-4.1-mini 0.4 0.1 1.6
openai gpt-4.1-nano 0.1 0.025 0.4
openai o1 15 7.5 60
openai o3 2 0.5 8
openai o3-mini 1.1 0.55 4.4
openai o4-mini 1.1 0.275 4.4
openai gpt-5 1.25 0.125 10
openai gpt-5-mini 0.25 0.025 2
openai gpt-5-nano 0.05 0.005 0.4
openai gpt-5.1 1.25 0.125 10
openai gpt-5.2 1.75 0.175 14
openai gpt-5.3-codex 1.75 0.175 14
openai gpt-5.4 2.5 0.25 15 above 272000 5 0.5 22.5
openai gpt-5.4-mini 0.75 0.075 4.5
openai gpt-5.5 5 0.5 30 above 272000 10 1 45
openai gpt-5.6-sol 4 0.4 20 above 272000 8 0.8 30
openai gpt-6-sol 2 0.2 10 above 272000 4 0.4 15
openai gpt-6-luna 0.1 0.01 0.5 above 272000 0.2 0.02 0.75
openai gpt-6.1-sol 2 0.1 10 above 272000 4 0.2 15
openai text-embedding-3-small 0.02 - -
openai text-embedding-3-large 0.13 - -
anthropic claude-haiku-4-5 1 0.1 5
anthropic claude-haiku-5-5 0.1 0.01 0.5 above 100000 0.5 0.05 2.5
anthropic claude-sonnet-4-20250514 3 0.3 15
anthropic claude-sonnet-4-5 3 0.3 15 above 200000 6 0.6 22.5
anthropic claude-sonnet-4-6 3 0.3 15
anthropic claude-sonnet-5 2 0.2 10
anthropic claude-sonnet-5-5 2 0.1 10
anthropic claude-3-7-sonnet-20250219 3 0.3 15
anthropic claude-3-5-haiku-20241022 0.8 0.08 4
anthropic claude-opus-4-1 15 1.5 75
anthropic claude-opus-4-5 5 0.5 25
anthropic claude-opus-4-6 5 0.5 25
anthropic claude-opus-4-7 5 0.5 25
anthropic claude-opus-4-8 5 0.5 25
anthropic claude-opus-5 5 0.5 25
anthropic claude-opus-5-5 4 0.2 20
anthropic claude-fable-5 10 1 50
gcp.gemini gemini-2.0-flash 0.1 0.025 0.4
gcp.gemini gemini-2.5-flash 0.3 0.03 2.5
gcp.gemini gemini-2.5-flash-lite 0.1 0.01 0.4
gcp.gemini gemini-2.5-pro 1.25 0.125 10 above 200000 2.5 0.25 15
gcp.gemini gemini-3-flash-preview 0.5 0.05 3
gcp.gemini gemini-3-pro-preview 2 0.2 12 above 200000 4 0.4 18
gcp.gemini gemini-3.1-pro-preview 2 0.2 12 above 200000 4 0.4 18
gcp.gemini gemini-3.5-flash 1.5 0.15 9
gcp.gemini gemini-3.8-flash 0.75 0.075 3.75
gcp.gemini gemini-4-argon 2 0.1 10
x_ai grok-3 3 0.75 15
x_ai grok-3-mini 0.3 0.075 0.5
x_ai grok-4-0709 3 0.75 15
x_ai grok-4-fast-reasoning 0.2 0.05 0.5
x_ai grok-code-fast-1 0.2 0.02 1.5
x_ai grok-4.3 1.25 0.2 2.5 above 199999 2.5 0.4 5
x_ai grok-4.5 2 0.3 6 above 199999 4 0.6 12
x_ai grok-4.7 2 0.5 6 above 199999 4 1 12
deepseek deepseek-chat 0.27 0.07 1.1
deepseek deepseek-reasoner 0.55 0.14 2.19
deepseek deepseek-v4-pro 0.66 0.022 1.98
deepseek deepseek-v4-flash 0.15 0.003 0.6
mistral_ai mistral-large-latest 2 - 6
mistral_ai mistral-small-latest 0.15 0.015 0.6
mistral_ai mistral-medium-latest 1.5 0.15 7.5
mistral_ai codestral-latest 0.3 - 0.9
cohere command-a 2.5 - 10
cohere command-r7b-12-2024 0.0375 - 0.15
moonshot_ai kimi-k2.5 0.6 0.1 3
moonshot_ai kimi-k2.6 0.95 0.16 4
groq llama-3.3-70b-versatile 0.59 - 0.79
groq openai/gpt-oss-120b 0.15 0.075 0.6
azure.ai.openai gpt-4o 2.5 1.25 10
azure.ai.openai gpt-4.1 2 0.5 8
aws.bedrock anthropic.claude-sonnet-4-5-20250929-v1:0 3.3 0.33 16.5
aws.bedrock us.anthropic.claude-sonnet-4-5-20250929-v1:0 3.3 0.33 16.5
aws.bedrock amazon.nova-lite-v1:0 0.06 0.015 0.24
aws.bedrock amazon.nova-pro-v1:0 0.8 0.2 3.2
aws.bedrock amazon.nova-micro-v1:0 0.035 0.00875 0.14
openrouter anthropic/claude-sonnet-4.5 3 0.3 15 above 200000 6 0.6 22.5
"""
LINES = [line.split() for line in LIST.strip().splitlines()]
SIZES = [(700, 300, 200), (90_000, 0, 1), (199_999, 0, 50), (199_000, 1_000, 50), (250_000, 22_001, 3_000)]


def test_there_are_eighty_one_of_them():
    assert len({(seller, model) for seller, model, *_ in LINES}) == 81


def by_hand(figures, fresh, cached, output):
    """USD, a fraction; cached input costs what other input does where the list has no price of its own."""
    rates = figures[:3]
    if len(figures) > 3 and fresh + cached > int(figures[4]):
        rates = figures[5:]
    into, read, out = (None if rate == "-" else Fraction(rate) for rate in rates)
    return (fresh * into + cached * (into if read is None else read) + output * (out or 0)) / 10**6


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_costs_what_the_list_says(line):
    if engine() != OF:
        pytest.skip(f"NOT TESTED: these figures are those of {OF}, and {engine()} is installed")
    seller, model, *figures = line
    embeds = figures[2] == "-"
    for fresh, cached, output in SIZES:
        if embeds:
            cached = output = 0  # noqa: PLW2901 - there is no such thing
        usage = Usage(uncached=fresh, cache_read=cached or None, output=None if embeds else output)
        operation = "embeddings" if embeds else "chat"
        found = pricing.price(usage, provider=seller, model=model, at=AT, operation=operation)
        assert Fraction(found.amount) == by_hand(figures, fresh, cached, output)
        assert found.status == ("partial" if cached and figures[1] == "-" else "priced")


def rate_of(prices, names, context):
    value = next(v for name in names if (v := getattr(prices, name, None)) is not None)
    if not hasattr(value, "tiers"):
        return Fraction(value)
    return Fraction(next((t.price for t in reversed(value.tiers) if context > t.start), value.base))


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line[0]} {line[1]}")
def test_costs_what_the_installed_list_says(line):
    """The same with the figures of whatever list is installed, so that a newer one is checked, too."""
    seller, model, *figures = line
    tariff = gate.table.find(seller, model)
    if tariff is None:
        pytest.skip(f"NOT TESTED: {engine()} does not know {seller} {model}")
    prices = tariff._model.get_prices(NOON)
    for fresh, cached, output in SIZES if figures[2] != "-" else ():
        usage = Usage(uncached=fresh, cache_read=cached, output=output)
        found = pricing.price(usage, provider=seller, model=model, at=AT)
        counts = {
            ("input_mtok",): fresh, ("cache_read_mtok", "input_mtok"): cached, ("output_mtok",): output,
        }  # fmt: skip
        hand = sum(count * rate_of(prices, names, fresh + cached) for names, count in counts.items()) / 10**6
        assert Fraction(found.amount) == hand


# --- a run is the sum of what is in it -------------------------------------------------------------------------------

CALLS = st.tuples(
    st.sampled_from(["gpt-4o", "gpt-4o-mini", "nobody-knows"]), st.none() | st.integers(0, 10**6), st.integers(0, 10**5)
)
TREES = st.lists(st.tuples(st.integers(0, 20), st.lists(CALLS, max_size=4)), min_size=1, max_size=8)


def settled(model, into, output):
    usage = Usage() if into is None else Usage(uncached=into, output=output)
    return ModelCall("chat", "openai", model, model, usage, AT, AT + 1, 1)


@given(TREES)
def test_a_run_costs_what_its_calls_and_the_runs_in_it_cost(tmp_path_factory, tree):
    runs, own, unpriced = [], [], []
    for number, (above, calls) in enumerate(tree):
        run = Run(f"r{number}", parent=runs[above % number] if number else None, name=f"a{number % 2}")
        runs.append(run)
        prices = []
        for call in calls:
            made = settled(*call)
            run.settle_model(made)
            prices.append(pricing.price_call(made))
        own.append(sum(Fraction(price.amount) for price in prices if price.amount is not None))
        unpriced.append(sum(price.amount is None for price in prices))
    for run, cost, unknown in zip(runs, own, unpriced, strict=True):
        inside = [child for child in runs if child.parent is run]
        assert Fraction(run.cost) == cost + sum(Fraction(child.cost) for child in inside)
        assert run.unpriced == unknown + sum(child.unpriced for child in inside)
        assert run.cost >= 0
    path = tmp_path_factory.mktemp("j") / "journal.db"
    journal = Journal(path, days=100_000)
    journal.write_runs([RunRow.of(run) for run in runs])
    journal.close()
    with Archive(path) as archive:
        costs = read_costs(archive)
    assert Fraction(costs.total().cost) == sum(own)
    for what in ("agent", "user", "day"):
        assert sum(Fraction(group.cost) for group in costs.by(what)) == sum(own)
    assert costs.total().unpriced == sum(unpriced)


@given(
    st.none() | st.integers(0, 10**7), st.integers(0, 10**7), st.sampled_from(["gpt-4o", "nobody-knows", "whisper-1"])
)
def test_what_is_unknown_is_never_zero(into, output, model):
    price = pricing.price_call(settled(model, into, output))
    known = model == "gpt-4o" and into is not None
    assert (price.amount is None) is not known
    assert price.status == ("priced" if known else "no_usage" if into is None else "unknown_model")
