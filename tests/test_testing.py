"""The scripted server answers the real clients as the real providers do."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request

import anthropic
import openai
import pydantic
import pytest
from google import genai
from google.genai import errors as genai_errors

from spanledger.errors import ConfigurationError
from spanledger.testing import Call, Failure, Rule, Scenario, ScriptedServer, Spend, Turn

WEATHER = Turn(tool_calls=(Call(name="weather", arguments={"city": "Köln"}),))
HELLO = Turn(text="Good morning, Köln: 12 degrees.", usage=Spend(input=120, output=30, cached=64, reasoning=8))
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
DECLARED = {"name": "weather", "description": "The weather.", "parameters": SCHEMA}
KINDS = ("chat", "responses", "messages", "gemini")


class Capital(pydantic.BaseModel):
    city: str


def conversation(kind, text, called=None):
    """What the user says, then, where the model *called* a tool, the call and its result."""
    content = {"parts": [{"text": text}]} if kind == "gemini" else {"content": text}
    found = [{"role": "user", **content}]
    if called is None:
        return found
    id_, name, _ = called
    match kind:
        case "chat":
            call = {"id": id_, "type": "function", "function": {"name": name, "arguments": "{}"}}
            found += [{"role": "assistant", "tool_calls": [call]}]
            found += [{"role": "tool", "tool_call_id": id_, "content": "12 degrees"}]
        case "responses":
            found += [{"type": "function_call", "call_id": id_, "name": name, "arguments": "{}"}]
            found += [{"type": "function_call_output", "call_id": id_, "output": "12 degrees"}]
        case "messages":
            found += [{"role": "assistant", "content": [{"type": "tool_use", "id": id_, "name": name, "input": {}}]}]
            result = {"type": "tool_result", "tool_use_id": id_, "content": "12 degrees"}
            found += [{"role": "user", "content": [result]}]
        case _:
            found += [{"role": "model", "parts": [{"function_call": {"id": id_, "name": name, "args": {}}}]}]
            response = {"id": id_, "name": name, "response": {"result": "12 degrees"}}
            found += [{"role": "user", "parts": [{"function_response": response}]}]
    return found


def asked(kind, messages):
    """The arguments of a call."""
    match kind:
        case "chat":
            return {"model": "m", "messages": messages, "tools": [{"type": "function", "function": DECLARED}]}
        case "responses":
            return {"model": "m", "input": messages, "tools": [{"type": "function", **DECLARED, "strict": False}]}
        case "messages":
            tools = [{"name": "weather", "input_schema": SCHEMA}]
            return {"model": "m", "max_tokens": 99, "messages": messages, "tools": tools}
        case _:
            config = {"tools": [{"function_declarations": [DECLARED]}], "automatic_function_calling": {"disable": True}}
            return {"model": "m", "contents": messages, "config": config}


def openai_at(server, cls=openai.OpenAI, retries=0):
    return cls(api_key="k", base_url=f"{server.url}/v1", max_retries=retries)


def anthropic_at(server, cls=anthropic.Anthropic):
    return cls(api_key="k", base_url=server.url, max_retries=0)


def genai_at(server, **options):
    return genai.Client(api_key="k", http_options={"base_url": server.url, **options})


def facts(kind, done):
    """Text, tool calls, why it ended, and tokens: input, output, of these cached and reasoning."""
    match kind:
        case "chat":
            choice, usage = done.choices[0], done.usage
            calls = [(c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or []]
            details = (usage.prompt_tokens_details.cached_tokens, usage.completion_tokens_details.reasoning_tokens)
            spent = (usage.prompt_tokens, usage.completion_tokens, *details)
            return choice.message.content or "", calls, choice.finish_reason, spent
        case "responses":
            usage = done.usage
            calls = [(o.call_id, o.name, json.loads(o.arguments)) for o in done.output if o.type == "function_call"]
            reason = done.incomplete_details.reason if done.incomplete_details else done.status
            details = (usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens)
            return done.output_text, calls, reason, (usage.input_tokens, usage.output_tokens, *details)
        case "messages":
            usage = done.usage
            text = "".join(block.text for block in done.content if block.type == "text")
            calls = [(block.id, block.name, block.input) for block in done.content if block.type == "tool_use"]
            cached, thinking = usage.cache_read_input_tokens, usage.output_tokens_details.thinking_tokens
            whole = usage.input_tokens + cached + usage.cache_creation_input_tokens
            return text, calls, done.stop_reason, (whole, usage.output_tokens, cached, thinking)
        case _:
            parts = [part for chunk in done for part in chunk.candidates[0].content.parts]
            called = [part.function_call for part in parts if part.function_call]
            usage, thoughts = done[-1].usage_metadata, done[-1].usage_metadata.thoughts_token_count
            output = usage.candidates_token_count + thoughts
            spent = (usage.prompt_token_count, output, usage.cached_content_token_count, thoughts)
            calls = [(call.id, call.name, call.args) for call in called]
            reason = done[-1].candidates[0].finish_reason.value
            return "".join(part.text for part in parts if part.text), calls, reason, spent


def call(kind, how, server, messages):  # noqa: PLR0911 - two ways of four
    given, plain = asked(kind, messages), how == "plain"
    match kind:
        case "chat":
            completions = openai_at(server).chat.completions
            if plain:
                return facts(kind, completions.create(**given))
            with completions.stream(**given, stream_options={"include_usage": True}) as stream:
                return facts(kind, stream.get_final_completion())
        case "responses":
            responses = openai_at(server).responses
            if plain:
                return facts(kind, responses.create(**given))
            with responses.stream(**given) as stream:
                return facts(kind, stream.get_final_response())
        case "messages":
            client = anthropic_at(server)
            if plain:
                return facts(kind, client.messages.create(**given))
            with client.messages.stream(**given) as stream:
                return facts(kind, stream.get_final_message())
        case _:
            with genai_at(server) as client:
                if plain:
                    return facts(kind, [client.models.generate_content(**given)])
                return facts(kind, list(client.models.generate_content_stream(**given)))


async def acall(kind, how, server, messages):  # noqa: PLR0911 - two ways of four
    given, plain = asked(kind, messages), how == "plain"
    match kind:
        case "chat":
            async with openai_at(server, openai.AsyncOpenAI) as client:
                if plain:
                    return facts(kind, await client.chat.completions.create(**given))
                async with client.chat.completions.stream(**given, stream_options={"include_usage": True}) as stream:
                    return facts(kind, await stream.get_final_completion())
        case "responses":
            async with openai_at(server, openai.AsyncOpenAI) as client:
                if plain:
                    return facts(kind, await client.responses.create(**given))
                async with client.responses.stream(**given) as stream:
                    return facts(kind, await stream.get_final_response())
        case "messages":
            async with anthropic_at(server, anthropic.AsyncAnthropic) as client:
                if plain:
                    return facts(kind, await client.messages.create(**given))
                async with client.messages.stream(**given) as stream:
                    return facts(kind, await stream.get_final_message())
        case _:
            async with genai_at(server).aio as client:
                if plain:
                    return facts(kind, [await client.models.generate_content(**given)])
                return facts(kind, [chunk async for chunk in await client.models.generate_content_stream(**given)])


ENDS = {
    "chat": ("tool_calls", "stop"), "responses": ("completed", "completed"),
    "messages": ("tool_use", "end_turn"), "gemini": ("STOP", "STOP"),
}  # fmt: skip


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("how", ["plain", "stream"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_loop_with_the_real_client(kind, how, asynchronous):
    def ask(messages):
        return asyncio.run(acall(kind, how, server, messages)) if asynchronous else call(kind, how, server, messages)

    with ScriptedServer([WEATHER, HELLO]) as server:
        text, calls, end, spent = ask(conversation(kind, "weather in Köln?"))
        assert text == ""
        assert [(name, arguments) for _, name, arguments in calls] == [("weather", {"city": "Köln"})]
        assert end == ENDS[kind][0]
        assert spent[0] > 0

        text, again, end, spent = ask(conversation(kind, "weather in Köln?", calls[0]))
        assert (text, again, end, spent) == (HELLO.text, [], ENDS[kind][1], (120, 30, 64, 8))
        assert [request.turn for request in server.requests] == [WEATHER, HELLO]


@pytest.mark.parametrize("kind", KINDS)
def test_two_identical_runs_get_the_same_script(kind):
    with ScriptedServer(["first", "second"]) as server:
        texts = [call(kind, "plain", server, conversation(kind, "hi"))[0] for _ in range(2)]
    assert texts == ["first", "first"]


@pytest.mark.parametrize("how", ["plain", "stream"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_followed_by_the_next_turn_at_the_same_place(kind, how):
    turns = [Turn(error=Failure(status=429, message="slow down", retry_after=0.01)), "well then"]
    with ScriptedServer(turns) as server:
        kinds = (openai.RateLimitError, anthropic.RateLimitError, genai_errors.ClientError)
        with pytest.raises(kinds, match="slow down"):
            call(kind, how, server, conversation(kind, "hi"))
        assert call(kind, how, server, conversation(kind, "hi"))[0] == "well then"


def test_clients_try_again_by_themselves():
    with ScriptedServer([Turn(error=Failure(status=503, retry_after=0.001)), "well then"]) as server:
        completions = openai_at(server, retries=2).chat.completions
        done = completions.create(model="m", messages=conversation("chat", "hi"))
        assert done.choices[0].message.content == "well then"
        assert len(server.requests) == 2


@pytest.mark.parametrize("kind", ["chat", "messages", "gemini"])
def test_an_error_inside_a_stream(kind):
    errors = (openai.APIError, anthropic.APIStatusError, genai_errors.APIError)
    turn = Turn(text="one two three four", stream_error=Failure(status=503, message="overloaded"))
    with ScriptedServer([turn, "again"]) as server:
        with pytest.raises(errors, match="overloaded"):
            call(kind, "stream", server, conversation(kind, "hi"))
        assert call(kind, "stream", server, conversation(kind, "hi"))[0] == "again"


def test_an_error_inside_a_responses_stream_is_an_event():
    turn = Turn(text="one two three four", stream_error=Failure(status=503, message="overloaded"))
    with ScriptedServer([turn]) as server:
        events = list(openai_at(server).responses.create(model="m", input="hi", stream=True))
    assert (events[-1].type, events[-1].message) == ("error", "overloaded")


@pytest.mark.parametrize("how", ["plain", "stream"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_cut_in_the_middle(kind, how):
    with ScriptedServer([Turn(text="one two three four", cut_after=3), "again"]) as server:
        with pytest.raises(Exception, match=r"(?i)connection|peer closed|incomplete"):
            call(kind, how, server, conversation(kind, "hi"))
        assert call(kind, how, server, conversation(kind, "hi"))[0] == "again"


@pytest.mark.parametrize(
    ("kind", "finish", "expected"),
    [
        ("chat", "length", "length"), ("chat", "content_filter", "content_filter"),
        ("responses", "length", "max_output_tokens"), ("responses", "content_filter", "content_filter"),
        ("messages", "length", "max_tokens"), ("messages", "content_filter", "refusal"),
        ("gemini", "length", "MAX_TOKENS"), ("gemini", "content_filter", "SAFETY"),
    ],
)  # fmt: skip
def test_finish_reasons(kind, finish, expected):
    with ScriptedServer([Turn(text="so", finish=finish)]) as server:
        assert call(kind, "plain", server, conversation(kind, "hi"))[2] == expected


def test_helpers_that_parse():
    with ScriptedServer({"rules": [{"turn": {"text": '{"city": "Paris"}'}}]}) as server:
        client = openai_at(server)
        messages = conversation("chat", "capital?")
        done = client.chat.completions.parse(model="m", messages=messages, response_format=Capital)
        assert done.choices[0].message.parsed == Capital(city="Paris")
        assert client.responses.parse(model="m", input="?", text_format=Capital).output_parsed == Capital(city="Paris")
        said = anthropic_at(server).messages.parse(model="m", max_tokens=9, messages=messages, output_format=Capital)
        assert said.parsed_output == Capital(city="Paris")
        with genai_at(server) as google:
            config = {"response_mime_type": "application/json", "response_schema": Capital}
            found = google.models.generate_content(model="m", contents="?", config=config)
            assert found.parsed == Capital(city="Paris")


def test_a_chain_of_responses_that_only_name_the_one_before():
    with ScriptedServer([WEATHER, "12 degrees", "bye"]) as server:
        responses = openai_at(server).responses
        first = responses.create(**asked("responses", conversation("responses", "weather?")))
        result = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": "12"}
        second = responses.create(model="m", input=[result], previous_response_id=first.id)
        third = responses.create(model="m", input="thanks", previous_response_id=second.id)
    assert (second.output_text, third.output_text) == ("12 degrees", "bye")
    assert third.usage.input_tokens > second.usage.input_tokens, "what was said before counts again"


def test_conversations_interleave():
    with ScriptedServer(["one", "two"]) as server:

        def ask(text, *answers):
            messages = conversation("chat", text)
            for answer in answers:
                messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": "go on"}]
            return call("chat", "plain", server, messages)[0]

        assert [ask("a"), ask("b"), ask("a", "one"), ask("b", "one")] == ["one", "one", "two", "two"]


def test_rules_go_before_turns_and_use_none_up():
    again = Rule(tool_contains="12 deg", times=1, turn=Turn(text="I'll try again."))
    bye = Rule(user_contains="bye", turn=Turn(text="Goodbye."))
    with ScriptedServer(Scenario(turns=(WEATHER, HELLO), rules=(again, bye))) as server:
        calls = call("chat", "plain", server, conversation("chat", "weather?"))[1]
        messages = conversation("chat", "weather?", calls[0])
        assert call("chat", "plain", server, messages)[0] == "I'll try again."
        messages += [{"role": "assistant", "content": "I'll try again."}, {"role": "user", "content": "do"}]
        assert call("chat", "plain", server, messages)[0] == HELLO.text
        assert call("chat", "plain", server, conversation("chat", "bye"))[0] == "Goodbye."


def test_beyond_the_last_turn_is_an_error_that_says_so():
    with ScriptedServer(["one"]) as server:
        messages = [*conversation("chat", "a"), {"role": "assistant", "content": "one"}, *conversation("chat", "b")]
        with pytest.raises(openai.BadRequestError, match="has 1 turns and this conversation asks for turn 2"):
            call("chat", "plain", server, messages)


def test_tokens_follow_from_the_text_when_nobody_says():
    with ScriptedServer([Turn(text="x" * 9, usage=Spend(reasoning=5))]) as server:
        messages = conversation("chat", "y" * 96)
        usage = openai_at(server).chat.completions.create(model="m", messages=messages).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (25, 8), "four characters a token, the role's counted too"


def test_a_provider_that_says_nothing_about_tokens():
    with ScriptedServer([Turn(text="so", usage=None)]) as server:
        completions, messages = openai_at(server).chat.completions, conversation("chat", "hi")
        assert completions.create(model="m", messages=messages).usage is None
        options = {"include_usage": True}
        stream = completions.create(model="m", messages=messages, stream=True, stream_options=options)
        assert [chunk.usage for chunk in stream if chunk.usage] == []


def test_embeddings_depend_on_the_text_alone():
    with ScriptedServer([]) as server:
        client = openai_at(server)
        a, b, again = (item.embedding for item in client.embeddings.create(model="m", input=["a", "b", "a"]).data)
        assert len(a) == 8
        assert a == again != b
        plain = client.embeddings.create(model="m", input="a", dimensions=4, encoding_format="float")
        assert plain.data[0].embedding == a[:4]
        with genai_at(server) as google:
            found = google.models.embed_content(model="m", contents=["a", "b"], config={"output_dimensionality": 4})
            assert [item.values for item in found.embeddings] == [a[:4], b[:4]]


def test_counting_tokens():
    with ScriptedServer([]) as server:
        messages = conversation("messages", "x" * 36)
        assert anthropic_at(server).messages.count_tokens(model="m", messages=messages).input_tokens == 10
        with genai_at(server) as google:
            assert google.models.count_tokens(model="m", contents="x" * 36).total_tokens == 10


def test_azure_and_beta_paths():
    with ScriptedServer({"rules": [{"turn": "hello"}]}) as server:
        azure = openai.AzureOpenAI(api_key="k", azure_endpoint=server.url, api_version="2024-10-21")
        done = azure.chat.completions.create(model="deployed", messages=conversation("chat", "hi"))
        assert (done.choices[0].message.content, done.model) == ("hello", "deployed")
        messages = conversation("messages", "hi")
        beta = anthropic_at(server).beta.messages.create(model="m", max_tokens=9, messages=messages)
        assert beta.content[0].text == "hello"
        with genai_at(server, api_version="v1beta") as google:
            assert google.models.generate_content(model="m", contents="hi").text == "hello"
        found = [request.api for request in server.requests]
        assert found == ["openai.chat", "anthropic.messages", "gemini.generate_content"]


def post(server, path, data):
    request = urllib.request.Request(server.url + path, data=data, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_answers_are_the_same_bytes_every_time():
    def answers():
        with ScriptedServer([WEATHER, HELLO]) as server:
            body = {"model": "m", "messages": conversation("chat", "hi")}
            return [
                post(server, "/v1/chat/completions", json.dumps({**body, "stream": stream}).encode())
                for stream in (False, True)
            ]

    assert answers() == answers()


def test_the_log_keeps_what_was_sent():
    with ScriptedServer(["x"]) as server:
        assert post(server, "/v1/nothing", b"{}")[0] == 404
        assert post(server, "/v1/chat/completions", b"[1")[0] == 400
        log = [(request.path, request.api, request.raw) for request in server.requests]
        assert log == [("/v1/nothing", "unknown", b"{}"), ("/v1/chat/completions", "unknown", b"[1")]


def test_closing_does_not_wait_for_a_delay_or_an_idle_connection():
    with ScriptedServer([Turn(text="late", delay=3600)]) as server:
        client = openai_at(server).with_options(timeout=0.05)
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model="m", messages=conversation("chat", "hi"))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"turn": []}, r"scenario: unknown key 'turn'; did you mean 'turns'\?"),
        ({"turns": "hello"}, r"scenario\.turns must be a list"),
        ([7], r"scenario: turns\[0\] must be a mapping, not int"),
        ([{"txt": "x"}], r"turns\[0\]: unknown key 'txt'; did you mean 'text'\?"),
        ([{"text": 7}], r"turns\[0\]\.text is 7; it must be str"),
        ([{"tool_calls": [{"arguments": {}}]}], r"turns\[0\]\.tool_calls\[0\]: 'name' is missing"),
        ([{"tool_calls": [{"name": "a", "arguments": "{}"}]}], r"arguments is '\{\}'; it must be Mapping"),
        ([{"finish": "end"}], r"turns\[0\]\.finish is 'end'; one of: stop, tool_calls, length, content_filter"),
        ([{"error": 200}], r"turns\[0\]\.error\.status is 200; it must be from 400 to 599"),
        ([{"usage": {"input": -1}}], r"usage\.input is -1; it can't be negative"),
        ({"rules": [{"times": 1}]}, r"rules\[0\]: 'turn' is missing"),
        ({"rules": [{"turn": {"delay": "1s"}}]}, r"rules\[0\]\.turn\.delay is '1s'; it must be float"),
    ],
)
def test_a_scenario_that_is_wrong_says_where(source, said):
    with pytest.raises(ConfigurationError, match=said):
        Scenario.load(source)


def test_scenarios_from_files(tmp_path):
    wanted = Scenario(turns=(Turn(text="hi"), WEATHER, Turn(error=Failure(status=429))))
    data = {"turns": ["hi", {"tool_calls": [{"name": "weather", "arguments": {"city": "Köln"}}]}, {"error": 429}]}
    (tmp_path / "a.json").write_text(json.dumps(data), encoding="utf-8")
    text = "turns:\n- hi\n- tool_calls: [{name: weather, arguments: {city: Köln}}]\n- error: 429\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    assert Scenario.load(tmp_path / "a.json") == wanted
    assert Scenario.load(str(tmp_path / "a.yaml")) == wanted
    for name, content, said in (("b.yaml", "turns: [", "is not valid YAML"), ("b.json", "{", "is not valid JSON")):
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=f"{name} {said}"):
            Scenario.load(tmp_path / name)
    with pytest.raises(ConfigurationError, match=r"can't read the scenario .*none\.yaml: No such file"):
        Scenario.load(tmp_path / "none.yaml")


def test_a_program_that_never_closes_the_server_ends():
    program = (
        "import http.client; from spanledger.testing import ScriptedServer; server = ScriptedServer(['hi']).start(); "
        "client = http.client.HTTPConnection('127.0.0.1', server.port); "
        "client.request('POST', '/v1/chat/completions', '{}'); print(client.getresponse().read())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "chat.completion" in done.stdout


def test_close_waits_for_what_is_being_answered():
    with ScriptedServer(["hi"]) as server:
        connection = openai_at(server)
        connection.chat.completions.create(model="m", messages=conversation("chat", "hi"))
        workers = list(server._http._connections.values())
        assert [worker.is_alive() for worker in workers] == [True]  # for another request
    assert not any(worker.is_alive() for worker in workers)


def test_the_server_as_a_program(tmp_path):
    scenario = tmp_path / "scenario.json"
    scenario.write_text('["hello"]')
    command = [sys.executable, "-m", "spanledger.testing", "--scenario", str(scenario)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            client = openai.OpenAI(api_key="k", base_url=f"{process.stdout.readline().strip()}/v1")
            done = client.chat.completions.create(model="m", messages=conversation("chat", "hi"))
            assert done.choices[0].message.content == "hello"
        finally:
            process.terminate()
    scenario.write_text("[7]")
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert "turns[0] must be a mapping, not int" in failed.stderr
    assert "Traceback" not in failed.stderr
