"""What is patched comes back as it was; nothing happens at import; what is missing is said."""

from __future__ import annotations

import concurrent.futures
import importlib.util
import subprocess
import sys
import textwrap
import threading
import types

import anthropic
import openai
import pytest

import spanledger
from clients import MESSAGE, MESSAGE_ASK, Answers, clients
from spanledger import carry
from spanledger.config import Settings
from spanledger.errors import ConfigurationError
from spanledger.instrument import instrument
from spanledger.ledger import ledger
from spanledger.providers import ADAPTERS, Adapter, Seam


def python(code, **env):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_undo_puts_the_very_same_objects_back(provider):
    places = [
        (openai._base_client.SyncAPIClient, "request"), (openai._base_client.AsyncAPIClient, "request"),
        (anthropic._base_client.SyncAPIClient, "request"), (threading.Thread, "start"),
        (concurrent.futures.ThreadPoolExecutor, "submit"),
    ]  # fmt: skip
    before = [vars(owner)[name] for owner, name in places]
    watching = instrument(Settings(), tracer_provider=provider)
    assert all(vars(owner)[name] is not was for (owner, name), was in zip(places, before, strict=True))
    watching.undo()
    assert all(vars(owner)[name] is was for (owner, name), was in zip(places, before, strict=True))


def test_importing_and_instrumenting_imports_no_client_and_starts_no_thread():
    said = python("""
        import sys, threading
        import spanledger
        heavy = {"openai", "anthropic", "google.genai", "genai_prices", "phonenumbers", "httpx", "httpx2"}
        print(sorted(heavy & set(sys.modules)))
        from spanledger.instrument import instrument
        from spanledger.config import Settings
        instrument(Settings())
        print(sorted(heavy & set(sys.modules)), threading.active_count())
    """)
    assert said.split("\n")[:2] == ["[]", "[] 1"]


def test_a_client_that_is_imported_later_is_watched():
    said = python("""
        from spanledger.instrument import instrument
        from spanledger.config import Settings
        watching = instrument(Settings())
        import openai
        print([name for name in watching.watched if name.startswith("openai")])
    """)
    assert "openai._base_client:SyncAPIClient.request" in said


def test_a_client_that_changed_its_inside_is_reported_and_works(provider, monkeypatch):
    module = types.ModuleType("changed_client")
    monkeypatch.setitem(sys.modules, "changed_client", module)
    seam = Seam("changed_client", "Client.request", None, lambda *_: None)
    with instrument(
        Settings(), tracer_provider=provider, adapters=[Adapter("changed", "changed", "1", (seam,))]
    ) as watching:
        assert "changed_client:Client.request" in watching.missing


def test_every_seam_of_the_installed_clients_is_there(provider):
    for adapter in ADAPTERS:
        pytest.importorskip(adapter.package)
    with instrument(Settings(), tracer_provider=provider) as watching:
        assert watching.missing == {}


@pytest.fixture
def toolbox(monkeypatch):
    code = """
        def lookup(name): return {"name": name}
        def send(to): raise TimeoutError
        def _private(): return 1
        async def wait(): return 2
        class Mail:
            @staticmethod
            def post(to): return to
        TABLE = {"lookup": lookup, "send": send}
        LIST = [lookup]
    """
    module = types.ModuleType("toolbox")
    exec(textwrap.dedent(code), vars(module))
    for value in vars(module).values():
        if isinstance(value, types.FunctionType):
            value.__module__ = "toolbox"
    monkeypatch.setitem(sys.modules, "toolbox", module)
    return module


def test_tools_are_watched_by_name_and_in_their_tables(provider, spans, toolbox):
    lookup = toolbox.lookup
    with instrument(Settings(tools=("toolbox:*", "toolbox:Mail.post")), tracer_provider=provider):
        assert toolbox.TABLE["lookup"]("a") == {"name": "a"}
        assert toolbox.LIST[0]("a") == {"name": "a"}
        assert toolbox.Mail.post("b") == "b"
        with pytest.raises(TimeoutError):
            toolbox.send("c")
        assert toolbox._private() == 1
    assert [span.name for span in spans()] == [
        "execute_tool lookup", "execute_tool lookup", "execute_tool post", "execute_tool send",
    ]  # fmt: skip
    assert toolbox.lookup is toolbox.TABLE["lookup"] is toolbox.LIST[0] is lookup


def test_a_tool_name_that_means_nothing_is_an_error(provider):
    with pytest.raises(ConfigurationError, match="'toolbox' names no tool; write module:function"):
        instrument(Settings(tools=("toolbox",)), tracer_provider=provider)


def test_a_tool_that_is_not_there_is_said(provider, toolbox):
    with instrument(Settings(tools=("toolbox:nothing",)), tracer_provider=provider) as watching:
        assert watching.missing == {"toolbox:nothing": "no such function"}


def test_runs_follow_into_threads_and_executors(provider, spans):
    seen = []

    def work():
        seen.append(spanledger.current_run().id)
        with spanledger.tool("inside"):
            pass

    with instrument(Settings(), tracer_provider=provider), spanledger.run("a") as run:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(work).result()
            assert pool.submit(spanledger.current_run).result().id == run.id
        carry(work)()
    assert seen == [run.id] * 3
    root = next(span for span in spans() if span.name == "invoke_agent a")
    assert {span.parent.span_id for span in spans() if span.name == "execute_tool inside"} == {root.context.span_id}


def test_a_pools_threads_forget_the_run_in_which_they_were_begun(provider):
    with instrument(Settings(), tracer_provider=provider), concurrent.futures.ThreadPoolExecutor(1) as pool:
        with spanledger.run("a", user_id="alice") as run:
            assert pool.submit(spanledger.current_run).result().id == run.id
        assert pool.submit(spanledger.current_run).result() is None
        with spanledger.run("b") as other:
            assert pool.submit(spanledger.current_run).result().id == other.id


def test_threads_without_a_run_are_left_alone(provider):
    with instrument(Settings(), tracer_provider=provider), concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(spanledger.current_run).result() is None
        assert carry(print) is print


class TestNativeSpans:
    """The Anthropic client makes spans of its own: one call is one span all the same."""

    def ask(self, provider, settings, **options):
        from opentelemetry import trace

        answers = Answers([MESSAGE])
        with instrument(settings, tracer_provider=provider):
            client, _ = clients(answers)["anthropic"]
            if options:
                client = client.with_options(**options)
            client.messages.create(**MESSAGE_ASK)
            assert trace is not None
        return answers.requests[0]

    def test_they_are_silenced_by_the_public_switch(self, provider, spans, monkeypatch):
        import os

        monkeypatch.delenv("ANTHROPIC_OPEN_TELEMETRY", raising=False)
        self.ask(provider, Settings())
        assert [span.instrumentation_scope.name for span in spans()] == ["spanledger"]
        assert "ANTHROPIC_OPEN_TELEMETRY" not in os.environ

    def test_or_adopted_where_the_user_wants_them(self, monkeypatch):
        if not hasattr(anthropic.Anthropic, "open_telemetry"):
            pytest.skip("this version makes none")
        said = python("""
            import sys; sys.path.insert(0, "tests")
            from opentelemetry import trace
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import SimpleSpanProcessor
            from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
            exporter = InMemorySpanExporter(); provider = TracerProvider()
            provider.add_span_processor(SimpleSpanProcessor(exporter)); trace.set_tracer_provider(provider)
            from clients import MESSAGE, MESSAGE_ASK, Answers, clients
            from spanledger.config import Settings
            from spanledger.instrument import instrument
            from spanledger.ledger import ledger
            import spanledger
            instrument(Settings(native_spans=True), tracer_provider=provider)
            client, _ = clients(Answers([MESSAGE]))["anthropic"]
            with spanledger.run("a") as run:
                client.messages.create(**MESSAGE_ASK)
            spans = exporter.get_finished_spans()
            print(sorted(s.instrumentation_scope.name for s in spans), run.usage.input, run.usage.output, run.steps)
        """)
        assert said.split("\n")[0] == "['com.anthropic.sdk.python', 'spanledger'] 9 4 1"


def test_the_ledger_counts_what_the_sampler_drops(exporter):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    provider = TracerProvider(sampler=ALWAYS_OFF)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with instrument(Settings(), tracer_provider=provider), spanledger.run("a") as run:
        clients(Answers([MESSAGE]))["anthropic"][0].messages.create(**MESSAGE_ASK)
    assert exporter.get_finished_spans() == ()
    assert (run.usage.input, run.usage.output, run.stop_reason) == (9, 4, "completed")
    assert ledger.get(run.id) is not None


def test_openai_2_never_finds_half_of_httpx2():
    if not all(map(importlib.util.find_spec, ("httpx2", "openai._httpx2"))):
        pytest.skip("this openai does not know httpx2")
    code = (
        "from spanledger.instrument import instrument; instrument(); import openai, sys; print('httpx2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


@pytest.mark.parametrize("name", ["os:*", "json.decoder:*", "opentelemetry.trace:*"])
def test_what_everything_uses_is_not_made_tools_of(name, provider, caplog):
    import os

    before = os.fsencode
    with instrument(Settings(tools=(name,)), tracer_provider=provider) as watching:
        assert os.fsencode is before
        assert watching.missing[name] == "what everything uses; name single functions"
    assert f"{name} is what everything uses" in caplog.text
    with instrument(Settings(tools=("textwrap:dedent",)), tracer_provider=provider):  # one is a tool if you say so
        import textwrap

        assert textwrap.dedent.__wrapped__
