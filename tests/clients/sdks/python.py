"""What the SDKs for Python have to see: `python.py URLS`, which main.mjs runs."""

import asyncio
import json
import sys
import time
from urllib.request import urlopen

import anthropic
import mcp
import openai

URLS = json.loads(sys.argv[1])
GREETING = "Grüße, 🌍!\n日本"
failed = 0


def check(name):
    def run(function):
        global failed
        began = time.monotonic()
        try:
            function()
            print(f"ok   {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)

    return run


def question(content):
    return {"model": "m", "messages": [{"role": "user", "content": content}]}


def raises(kind, function):
    try:
        function()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def leaves(ask):
    """Somebody asks for an answer without an end, and leaves."""
    ask()
    deadline = time.monotonic() + 10
    while urlopen(f"{URLS['upstream']}/open").read() != b"0":
        assert time.monotonic() < deadline, "the upstream goes on"
        time.sleep(0.05)


def openai_at(base):
    return openai.OpenAI(api_key="x", base_url=f"{base}/v1", max_retries=0)


def ask_openai(prompt, texts=None, client=openai_at(URLS["gateway"]), **more):
    texts = [] if texts is None else texts
    reason = None
    with client.chat.completions.create(**question(prompt), stream=True, **more) as stream:
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                texts.append(chunk.choices[0].delta.content)
            if chunk.choices and chunk.choices[0].finish_reason:
                reason = chunk.choices[0].finish_reason
            if prompt == "forever" and len(texts) == 3:
                break
    return "".join(texts), reason, chunk


@check("openai (Python): an answer streams, with its finish reason, its usage, and what nobody knows of")
def _():
    text, reason, last = ask_openai("greet", stream_options={"include_usage": True})
    assert (text, reason) == (GREETING, "stop"), (text, reason)
    assert ask_openai("be short")[1] == "length"
    assert last.usage.total_tokens == 8 and last.system_fingerprint == "fp-1", last


@check("openai (Python): an answer that is no stream")
def _():
    answer = openai_at(URLS["gateway"]).chat.completions.create(**question("greet"))
    assert answer.choices[0].message.content == GREETING, answer


@check("openai (Python): an error in the middle is the typed one, behind what came before it")
def _():
    for prompt, message in [("break", "out of words"), ("hang up", "the upstream broke off")]:
        texts = []
        error = raises(openai.APIError, lambda: ask_openai(prompt, texts))
        assert error.message == message and error.type == "server_error", error
        assert texts == ["one ", "two "], texts


@check("openai (Python): a refusal of the upstream is the typed error")
def _():
    error = raises(openai.RateLimitError, lambda: ask_openai("refuse"))
    assert error.code == "rate_limit_exceeded" and error.request_id == "r-1", error


@check("openai (Python): who leaves stops the upstream")
def _():
    leaves(lambda: ask_openai("forever"))


@check("openai (Python): responses stream")
def _():
    for base, expected in [(URLS["gateway"], GREETING), (URLS["conformance"], "Hi there")]:
        events = list(openai_at(base).responses.create(model="m", input="greet", stream=True))
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert text == expected and events[-1].type == "response.completed", events
        with openai_at(base).responses.stream(model="m", input="greet") as stream:
            assert stream.get_final_response().output_text == expected


@check("openai (Python): an error in the middle of a response, and what cut one short, are events")
def _():
    def last(prompt):
        events = openai_at(URLS["gateway"]).responses.create(model="m", input=prompt, stream=True)
        return list(events)[-1]

    error = last("break")
    assert (error.type, error.message) == ("error", "out of words"), error
    short = last("be short")
    assert short.type == "response.incomplete", short
    assert short.response.incomplete_details.reason == "max_output_tokens", short


@check("openai (Python): answers that are always the same")
def _():
    text, _, _ = ask_openai("hi", client=openai_at(URLS["conformance"]))
    assert text == "Hello €豆\nwörld", text


def ask_anthropic(prompt, texts=None, base=URLS["gateway"]):
    texts = [] if texts is None else texts
    client = anthropic.Anthropic(api_key="x", base_url=base, max_retries=0)
    with client.messages.stream(**question(prompt), max_tokens=9) as stream:
        for text in stream.text_stream:
            texts.append(text)
            if prompt == "forever" and len(texts) == 3:
                return None
        return stream.get_final_message()


@check("anthropic (Python): an answer streams, with its stop reason and its usage")
def _():
    message = ask_anthropic("greet")
    assert message.content[0].text == GREETING and message.stop_reason == "end_turn", message
    assert (message.usage.input_tokens, message.usage.output_tokens) == (3, 5), message
    assert ask_anthropic("be short").stop_reason == "max_tokens"


@check("anthropic (Python): an error in the middle is the typed one, behind what came before it")
def _():
    for prompt, message in [("break", "out of words"), ("hang up", "the upstream broke off")]:
        texts = []
        error = raises(anthropic.APIStatusError, lambda: ask_anthropic(prompt, texts))
        assert error.body["error"] == {"type": "api_error", "message": message}, error.body
        assert "".join(texts) == "one two ", texts


@check("anthropic (Python): a refusal of the upstream is the typed error")
def _():
    error = raises(anthropic.RateLimitError, lambda: ask_anthropic("refuse"))
    assert error.body["error"] == {"type": "rate_limit_error", "message": "too much"}, error.body


@check("anthropic (Python): who leaves stops the upstream")
def _():
    leaves(lambda: ask_anthropic("forever"))


@check("anthropic (Python): answers that are always the same")
def _():
    assert ask_anthropic("hi", base=URLS["conformance"]).content[0].text == "Hello €豆"


def with_mcp(use):
    """Gives `use` a client, and a function that calls a tool and takes the text of its answer."""

    async def run():
        async with mcp.Client(f"{URLS['conformance']}/mcp") as client:

            async def call(name):
                result = await asyncio.wait_for(client.call_tool(name, {}), 20)
                return result.content[0].text

            await use(client, call)

    asyncio.run(run())


@check("mcp (Python): an answer is resumed after its stream was cut")
def _():
    async def use(client, call):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert tools == ["t", "fails", "waits", "running"], tools
        assert await call("t") == "resumed"

    with_mcp(use)


@check("mcp (Python): an error after the cut is one")
def _():
    async def use(_, call):
        try:
            await call("fails")
        except mcp.MCPError as error:
            assert (error.error.code, error.error.message) == (-32000, "it broke"), error
        else:
            raise AssertionError("no error")

    with_mcp(use)


@check("mcp (Python): a call that is cancelled stops")
def _():
    async def use(_, call):
        async def until(running):
            async with asyncio.timeout(10):
                while await call("running") != running:
                    await asyncio.sleep(0.05)

        waiting = asyncio.create_task(call("waits"))
        await until("1")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await until("0")

    with_mcp(use)


sys.exit(1 if failed else 0)
