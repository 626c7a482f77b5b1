"""Where a span belongs in the tree of its run, and what is said of it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.console import Console

from recorded import BEGAN, MS, RUN, SUPPORT, Recorder, record_support
from spanledger import semconv
from spanledger.journal import Archive, Journal
from spanledger.report.as_json import tree_json
from spanledger.report.text import render
from spanledger.report.tree import tree_of

ABOUT = "agent 3  prompt p7  system aaaa1111  tools bbbb2222  service shop 1.2.0  commit 0123456789ab"
SPENT = "1,500 in (1,000 cached), 70 out  $0.00041 + 1 unpriced"
CHAT = {semconv.OPERATION: "chat"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


def tree(path, reference="latest"):
    with Archive(path) as archive:
        return tree_of(archive, archive.run(reference))


def shape(nodes):
    return [
        (node.facts.get("number") if node.kind == "step" else node.name, shape(node.children)) if node.children
        else node.name
        for node in nodes
    ]  # fmt: skip


def printed(path, *, width=200, encoding="utf-8", content=False, color=False):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    colors = "standard" if color else None
    console = Console(file=file, width=width, highlight=False, force_terminal=color, color_system=colors)
    console.print(render(tree(path), content=content))
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def test_a_run_reads_like_this(path):
    record_support(path)
    assert [line.rstrip() for line in printed(path).splitlines()] == [
        f"run  {RUN}  support  failure (tool_error)  rate_limited  2.5 s  {SPENT}",
        f"{ABOUT}  models gpt-4o-mini, house-model  session s-42  user u-7",
        "├── step 1  912 ms  1,000 in, 50 out  $0.00041",
        "│   ├── chat  gpt-4o-mini  900 ms  1,000 in (1,000 cached), 50 out  $0.00041  tool_calls",
        "│   └── tool  lookup_customer  args 9f3ab2c1  12 ms  success",
        "│       └── GET  200  10 ms",
        "├── step 2  1.1 s  500 in, 20 out  unpriced",
        "│   ├── chat  house-model  800 ms  500 in, 20 out  unpriced: unknown model  tool_calls",
        "│   ├── tool  send_email  300 ms  error: rate_limited",
        "│   └── tool  web_search  success  (inferred)",
        f"└── total  2 steps  2 model calls  3 tool calls (1 failed)  {SPENT}  redacted: 3 email, 1 phone",
    ]


def test_it_can_be_read_without_colour_utf8_or_room(path):
    record_support(path, row=replace(SUPPORT, name="caf\u00e9"))
    narrow = printed(path, width=30, encoding="ascii")
    assert max(map(len, narrow.splitlines())) <= 30 + len("\\xe9") - 1
    assert "|-- step 1" in narrow or "+-- step 1" in narrow
    assert "caf\\xe9" in narrow


def test_colour_is_for_terminals(path):
    record_support(path)
    assert "\x1b[" in printed(path, color=True)
    assert "\x1b[" not in printed(path)


def test_nobodys_control_characters_or_markup_are_obeyed(path):
    record_support(path, row=replace(SUPPORT, name="\x1b[2J[red]\u202e", labels={"a\nb": "c\rd"}))
    text = printed(path)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[2J[red]\\u202e" in text
    assert "a\\nb c\\rd" in text


def test_content_is_shown_on_request_only(path):
    record_support(path)
    assert "mail [EMAIL]" not in printed(path)
    assert "mail [EMAIL]" in printed(path, content=True)
    assert "mail [EMAIL]" not in json.dumps(tree_json(tree(path)))
    [step, _] = tree_json(tree(path), content=True)["children"]
    assert step["children"][0]["content"]["input_messages"][0]["parts"][0]["content"] == "mail [EMAIL]"


def test_a_wrapping_span_does_not_swallow_the_steps(path):
    make = Recorder(Journal(path, days=100_000))
    with (
        make.span("invoke_agent x", 0, 9, facts={semconv.RUN_STATUS: "success"}),
        make.span("workflow", 0, 8),
    ):
        with make.span("chat a", 1, 2, step=1, facts=CHAT):
            pass
        with (
            make.span("execute_tool t", 2, 5, step=1, facts={semconv.OPERATION: "execute_tool"}),
            make.span("chat b", 3, 4, step=2, facts=CHAT),
        ):
            pass
    assert shape(tree(path).children) == ["workflow", (1, ["chat a", "execute_tool t"]), (2, ["chat b"])]


def test_a_step_that_was_entered_is_the_step(path):
    make = Recorder(Journal(path, days=100_000))
    with (
        make.span("invoke_agent x", 0, 9, facts={semconv.RUN_STATUS: "success"}),
        make.span("step plan", 1, 8, step=1, facts={semconv.OPERATION: "step"}),
        make.span("db", 2, 3, step=1),
        make.span("chat a", 2, 3, step=1, facts=CHAT),
    ):
        pass
    [step] = tree(path).children
    assert shape([step]) == [(1, [("db", ["chat a"])])]
    assert (step.facts["title"], step.seconds) == ("plan", 0.007)


def test_versions_stand_where_they_changed(path):
    """A call says its hashes where they are others than before."""
    make = Recorder(Journal(path, days=100_000))
    system, tools = semconv.SYSTEM_HASH, semconv.TOOLS_HASH
    with (
        make.span("invoke_agent x", 0, 9, facts={semconv.RUN_STATUS: "success"}),
        make.span("chat a", 1, 2, step=1, facts=CHAT | {system: "hmac-sha256:k:aaaa1111", tools: "hmac-sha256:k:bbbb"}),
        make.span("chat a", 2, 3, step=2, facts=CHAT),
        make.span("chat a", 3, 4, step=3, facts=CHAT | {system: "hmac-sha256:k:cccc3333"}),
        make.span("execute_tool t", 4, 5, step=3, facts={
            semconv.OPERATION: "execute_tool", semconv.TOOL_NAME: "t", semconv.TOOL_VERSION: "7",
        }),
    ):  # fmt: skip
        pass
    lines = printed(path).splitlines()
    assert [line.rpartition("system ")[2].strip() for line in lines if "step" in line and "system" in line] == [
        "aaaa1111", "cccc3333",
    ]  # fmt: skip
    assert "bbbb" not in "".join(lines)  # the same all the way: it stands at the run
    assert "t  version 7" in printed(path)
    steps = tree_json(tree(path))["children"]
    assert [step.get("system_hash") for step in steps] == ["hmac-sha256:k:aaaa1111", None, "hmac-sha256:k:cccc3333"]
    assert not any("tools_hash" in step for step in steps)


def test_a_model_call_that_is_a_run_of_its_own_is_shown(path):
    make = Recorder(Journal(path, days=100_000))
    facts = CHAT | {semconv.RUN_STATUS: "success", semconv.RUN_STOP_REASON: "completed", semconv.REQUEST_MODEL: "m"}
    with make.span("chat m", 0, 9, step=1, facts=facts):
        pass
    assert shape(tree(path).children) == [(1, ["chat m"])]
    assert "tokens unknown" in printed(path)


def test_a_run_inside_a_run_stands_where_it_was_started(path):
    journal = Journal(path, days=100_000)
    outer, inner = Recorder(journal), Recorder(journal, "inner")
    inner.provider, inner.tracer = outer.provider, outer.tracer
    with (
        outer.span("invoke_agent out", 0, 9, facts={semconv.RUN_STATUS: "success"}),
        outer.span("execute_tool ask", 1, 8, step=1, facts={semconv.OPERATION: "execute_tool"}),
    ):
        inner._context = outer._context
        facts = {semconv.RUN_STATUS: "success", semconv.RUN_PARENT_ID: RUN, semconv.AGENT_NAME: "helper"}
        with inner.span("invoke_agent in", 2, 7, facts=facts), inner.span("chat b", 3, 4, step=1, facts=CHAT):
            pass
    [step] = tree(path, RUN).children
    [tool] = step.children
    [run] = tool.children
    assert (run.kind, run.name, shape(run.tree.children)) == ("run", "helper", [(1, ["chat b"])])
    assert tree_json(tree(path, RUN))["children"][0]["children"][0]["children"][0]["run"]["run_id"] == "inner"
    assert step.facts["model_calls"] == 0


def test_a_call_that_is_priced_inside_is_not_counted_as_unpriced(path):
    make = Recorder(Journal(path, days=100_000))
    outer = CHAT | {semconv.COST_STATUS: "counted_in_child"}
    inner = CHAT | {semconv.COST_STATUS: "priced", semconv.COST_AMOUNT: "0.00000012"}
    with (
        make.span("invoke_agent x", 0, 9, facts={semconv.RUN_STATUS: "success"}),
        make.span("chat gateway", 1, 4, step=1, facts=outer),
        make.span("chat m", 2, 3, step=1, facts=inner),
    ):
        pass
    [step] = tree(path).children
    assert (step.facts["unpriced"], Decimal(step.facts["cost"])) == (0, Decimal("0.00000012"))
    assert "priced inside" in printed(path)
    assert "<$0.000001" in printed(path)


def test_a_going_on_run_without_spans_has_its_line(path):
    Journal(path, days=100_000).write_runs([
        replace(SUPPORT, ended=None, status="running", stop_reason=None, error_class=None, started=BEGAN)
    ])  # fmt: skip
    with Archive(path) as archive:
        run = replace(archive.run("latest"), ended=None, status="running", stop_reason=None)
        found = tree_of(archive, run)
    file = io.StringIO()
    Console(file=file, width=300).print(render(found))
    assert "running (step 2)" in file.getvalue()


def test_the_json_shape(path):
    record_support(path)
    found = tree_json(tree(path))
    assert found["schema"] == "spanledger.run/1"
    assert found["redacted"] == {"email": 3, "phone": 1}
    run = found["run"]
    assert (run["run_id"], run["status"], run["stop_reason"]) == (RUN, "failure", "tool_error")
    assert (run["started"], run["seconds"]) == ("2026-01-01T10:00:00.000000Z", 2500 * MS / 1e9)
    assert run["cost"] == {"amount": "0.00041", "currency": "USD", "unpriced_calls": 1}
    step, second = found["children"]
    assert {name: step[name] for name in ("kind", "number", "model_calls", "tool_calls", "cost", "unpriced")} == {
        "kind": "step", "number": 1, "model_calls": 1, "tool_calls": 1, "cost": "0.00041", "unpriced": 0,
    }  # fmt: skip
    chat, tool = step["children"]
    assert (chat["kind"], chat["model"], chat["cost"]) == ("model", "gpt-4o-mini", "0.00041")
    assert chat["input_tokens"] == 1000
    assert (tool["kind"], tool["tool"], tool["tool_status"], tool["inferred"]) == (
        "tool", "lookup_customer", "success", False,
    )  # fmt: skip
    assert tool["children"][0]["http_status"] == 200
    assert second["children"][0]["cost"] is None
    assert second["children"][1]["error_class"] == "rate_limited"


def test_what_failed_is_said_with_its_words_on_request_only(path):
    make = Recorder(Journal(path, days=100_000))
    root = {semconv.RUN_STATUS: "failure", semconv.OUTPUT_MESSAGES: "not {json"}
    with make.span("invoke_agent x", 0, 9, facts=root):
        facts = CHAT | {semconv.ERROR_TYPE: "500", semconv.COST_AMOUNT: "a lot", semconv.STREAM_END: "closed"}
        with make.span("chat m", 1, 2, step=1, status="it said why", facts=facts) as span:
            span.add_event("exception", {"exception.message": "its message"})
    text = printed(path)
    assert "error: 500" in text
    assert "stream closed" in text
    assert "unpriced" in text
    assert "it said why" not in text
    assert "its message" not in text
    told = printed(path, content=True)
    assert "it said why" in told
    assert "its message" in told
    assert "not {json" in told
    assert tree_json(tree(path), content=True)["content"] == {"output_messages": "not {json"}


def test_what_an_exporter_did_not_take_is_said(path):
    record_support(path)
    journal = Journal(path, days=100_000)
    journal.end_with([{"OTLP (http://x)": {RUN: 3, "": 4}}, {"Other": {"another": 1}}])
    journal.end_with([{"OTLP (http://x)": {RUN: 1}}])
    assert "unsent  4 spans  not taken by OTLP (http://x)" in printed(path)
    assert "Other" not in printed(path)
    assert tree_json(tree(path))["unsent"] == {"OTLP (http://x)": 4}
    with Archive(path) as archive:
        assert {name: found["spans"] for name, found in archive.unsent().items()} == {"OTLP (http://x)": 8, "Other": 1}
        archive.delete_user(SUPPORT.user_id)
        assert archive.unsent(RUN) == {}


def test_tokens_and_money_that_nobody_told_are_null_for_programs(path):
    journal = Journal(path, days=100_000)
    journal.write_runs([replace(SUPPORT, input_tokens=0, output_tokens=0, cache_read_tokens=0, cost=Decimal(0),
                                unpriced=2, unknown_usage=2, status="success")])  # fmt: skip
    recorder = Recorder(journal)
    with recorder.span("chat m", 10, 20, step=1, facts=CHAT):
        pass
    with recorder.span("chat m", 20, 30, step=2, facts=CHAT | {semconv.USAGE_OUTPUT: 5}):
        pass
    journal.close()
    found = tree_json(tree(path))
    assert found["run"]["tokens"] == {
        "input": None, "output": None, "cache_read": None, "cache_write": None, "reasoning": None, "calls_without_usage": 2,
    }  # fmt: skip
    assert found["run"]["cost"] == {"amount": None, "currency": "USD", "unpriced_calls": 2}
    names = ("input_tokens", "output_tokens", "calls_without_usage", "cost", "unpriced")
    assert [[step[name] for name in names] for step in found["children"]] == [
        [None, None, 1, None, 1],
        [None, 5, 1, None, 1],
    ]
    assert "? in, 5 out + 1 call unknown" in printed(path)
