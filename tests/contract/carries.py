"""Writes `docs/providers.md`: `python tests/contract/carries.py` (a test compares it with the file). Each mark is proven:
a request is built by the vendor's codec, and looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec

from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import CacheMark, MediaPart, Message, Reasoning, Text, ToolResult
from betterai.core.provider import Provider
from betterai.core.settings import AudioOutput, PromptCache, ReasoningControl
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, Tool
from betterai.providers import built_in_names
from contract.cases import PROVIDERS, TEXT_CODECS, Case, build, visible
from contract.sessions import CASES as SESSIONS
from contract.sessions import SETTINGS, begin

TARGET = Path(__file__).parents[2] / "docs" / "providers.md"
CARRIED, TRANSLATED, FETCHED, DROPPED, REFUSED = "✓", "≈", "↓", "○", "✗"
HEAD = f"""# Providers

What each provider is sent of what you ask for. Every mark was found by building a request with the provider's codec, for a
model of which nothing is known; what a single model can do is in the catalogue (`betterai models show NAME`).

| mark | the request holds it |
|---|---|
| {CARRIED} | as you said it |
| {TRANSLATED} | in another form that means much the same; a warning in `response.warnings` says which |
| {FETCHED} | as bytes: the URL is fetched before |
| {DROPPED} | not: a warning says so (an error with `unsupported="raise"`) |
| {REFUSED} | not, and the answer would be another one without it: `UnsupportedParam` is raised before anything is sent |

"""

Ask = Mapping[str, Any]
A, B = Tool(name="a"), Tool(name="b")
OBJECT = {"type": "object", "properties": {}}
PICTURE = Media(kind="image", mime_type="image/png", data=b"\x89PNG")


def user(*parts: Any) -> Ask:
    return {"messages": (Message(role="user", parts=(Text(text="Hi"), *parts)),)}


def media(kind: Any, **fields: Any) -> tuple[Ask, Ask]:
    return user(), user(MediaPart(media=Media(kind=kind, **fields)))


def settings(**values: Any) -> dict[str, tuple[Ask, Ask]]:
    return {f"`{name}`": ({}, {name: value}) for name, value in values.items()}


def result(*parts: Any) -> Ask:
    return {"messages": (Message(role="tool", parts=(ToolResult(id="c", parts=(Text(text="2"), *parts)),)),)}


TOOLS: Ask = {"tools": [A, B]}
FEATURES: dict[str, dict[str, tuple[Ask, Ask]]] = {
    "Tools and output": {
        "tools": ({}, TOOLS),
        "a tool required": (TOOLS, {**TOOLS, "tool_choice": "required"}),
        "one named": (TOOLS, {**TOOLS, "tool_choice": "a"}),
        "none allowed": (TOOLS, {**TOOLS, "tool_choice": "none"}),
        "one call at a time": (TOOLS, {**TOOLS, "parallel_tool_calls": False}),
        "`strict` tools": ({"tools": [A]}, {"tools": [Tool(name="a", strict=True)]}),
        "custom tools": ({"tools": [A]}, {"tools": [A, CustomTool(name="b")]}),
        "JSON Schema": ({}, {"response_format": JsonSchema(name="x", schema=OBJECT)}),
        "JSON object": ({}, {"response_format": JsonObject()}),
    },
    "Messages": {
        "picture": media("image", mime_type="image/png", data=b"\x89PNG"),
        "picture's URL": media("image", url="https://example.com/x.png"),
        "sound": media("audio", mime_type="audio/wav", data=b"RIFF"),
        "film": media("video", mime_type="video/mp4", data=b"ftyp"),
        "film's URL": media("video", url="https://example.com/x.mp4"),
        "document": media("document", mime_type="application/pdf", data=b"%PDF", filename="x.pdf"),
        "document's URL": media("document", url="https://example.com/x.pdf", mime_type="application/pdf"),
        "picture from a tool": (result(), result(MediaPart(media=PICTURE))),
        "cache mark": (
            user(Text(text="x")), {"messages": (Message(role="user", parts=(
                Text(text="Hi"), Text(text="x", cache=CacheMark(ttl="1h")))),)},
        ),
        "developer": (
            {"messages": (Message.system("Hi"),)}, {"messages": (Message(role="developer", parts=(Text(text="Hi"),)),)},
        ),
        "names": (user(), {"messages": (Message(role="user", parts=(Text(text="Hi"),), name="Ann"),)}),
    },
    "Thinking": {
        "effort": ({}, {"reasoning": "high"}),
        "budget": ({}, {"reasoning": 4000}),
        "off": ({}, {"reasoning": False}),
        "thoughts not shown": ({}, {"reasoning": ReasoningControl(include=False)}),
        "earlier thoughts": (
            {"messages": (Message.assistant("Hi"),)},
            {"messages": (Message(role="assistant", parts=(Reasoning(text="Hm."), Text(text="Hi"))),)},
        ),
    },
    "Sampling": settings(
        max_tokens=17, stop=["x"], temperature=0.5, top_p=0.5, top_k=17, min_p=0.25, seed=17, n=2, frequency_penalty=0.5,
        presence_penalty=0.5, logit_bias={"17": 5.0}, logprobs=True, top_logprobs=2,
    ),
    "Service": {
        **settings(web_search=True, modalities=["text", "audio"]),
        "`audio`": (
            {"modalities": ["text", "audio"]}, {"modalities": ["text", "audio"], "audio": AudioOutput(voice="x")},
        ),
        **settings(
            cache=PromptCache(key="x"), verbosity="low", prediction="x", moderation={"mode": "x"}, service_tier="x",
            store=True, metadata={"x": "y"}, user="x", safety_identifier="x",
        ),
    },
}  # fmt: skip
"""By page: what is asked for without a feature, and with it."""


def prove(case: Case, less: Ask, more: Ask) -> str:
    """The mark of a feature. Raises `AssertionError` where it gets lost in silence."""
    try:
        bare, request = build(case, **less), build(case, **more)
    except UnsupportedParam:
        return FETCHED if any(_is_fetched(case, message) for message in more.get("messages", ())) else REFUSED
    codes = {warning.code for warning in request.warnings if warning not in bare.warnings}
    if codes:
        return DROPPED if "dropped" in codes else TRANSLATED
    assert visible(request) != visible(bare), f"{case}: lost in silence"
    return CARRIED


def _is_fetched(case: Case, message: Message) -> bool:
    """Whether the runner loads a URL because the codec takes bytes only."""
    urls = [part.media for part in message.parts if isinstance(part, MediaPart) and part.media.form == "url"]
    return any("bytes" in case.codec.accepts.get(item.kind, ()) for item in urls)


def usage_in_streams(case: Case) -> str:
    body: Any = msgspec.json.decode(build(case, stream=True).body)  # type: ignore[arg-type]
    return "asked for" if (body.get("stream_options") or {}).get("include_usage") else "always there"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def _cases() -> list[Case]:
    return [case for case in TEXT_CODECS if case.provider.name in built_in_names()]


def _name(case: Case) -> str:
    """The vendor, and the protocol where it speaks several."""
    several = len(case.provider.protocols["text"]) > 1
    return f"{case.provider.name} ({case.protocol})" if several else case.provider.name


def _place(provider: Provider) -> str:
    """The base URL with its defaults in place."""
    shown = {setting.name: setting.default or f"{{{setting.name}}}" for setting in provider.settings}
    return f"`{provider.base_url.format_map(shown)}`" if provider.base_url else "–"


def _variables(provider: Provider, *, secret: bool) -> str:
    found = [
        " or ".join(f"`{name}`" for name in setting.env) + ("" if setting.required else " (may be left out)")
        for setting in provider.settings
        if setting.secret == secret and setting.env
    ]
    return ", ".join(found) or "–"


def _who(provider: Provider) -> list[str]:
    title = f"[{provider.title}]({provider.docs})" if provider.docs else provider.title
    keys, others = (_variables(provider, secret=secret) for secret in (True, False))
    speaks = ", ".join(f"{category}" for category in provider.protocols) or "not yet: models and prices only"
    default = f"`{provider.defaults['text']}`" if "text" in provider.defaults else "–"
    return [f"`{provider.name}`", title, speaks, keys, others, _place(provider), default]


def render() -> str:
    pages = [HEAD, "## Keys and addresses\n\n"]
    head = ("provider", "its page", "offers", "key", "other variables", "base URL", "default model")
    pages.append(_table(head, (_who(PROVIDERS[name]) for name in built_in_names())))
    for title, features in FEATURES.items():
        rows = [[_name(case), *(prove(case, *asked) for asked in features.values())] for case in _cases()]
        pages += [f"## {title}\n\n", _table(("", *features), rows)]
    rows = [[_name(case), usage_in_streams(case), _options(case)] for case in _cases()]
    pages += ["## Usage in streams, and options of one's own\n\n", _table(("", "usage", "`options`"), rows)]
    spoken = [case for case in SESSIONS if case.provider.name in built_in_names()]
    rows = [[f"`{name}`", *(prove_session(case, name) for case in spoken)] for name in SETTINGS if name[:6] != "extra_"]
    pages += ["## Realtime voice\n\n", _table(("", *(f"{_speaks(case)}" for case in spoken)), rows)]
    return "".join(pages).rstrip("\n") + "\n"


def prove_session(case: Case, name: str) -> str:
    """The mark of a session's setting. Raises `AssertionError` where it gets lost in silence."""
    try:
        (_, bare, _), (_, sent, warnings) = begin(case), begin(case, **{name: SETTINGS[name]})
    except UnsupportedParam:
        return REFUSED
    codes = {warning.code for warning in warnings}
    if codes:
        return DROPPED if "dropped" in codes else TRANSLATED
    assert sent != bare, f"{case}: {name} is lost in silence"
    return CARRIED


def _speaks(case: Case) -> str:
    several = len(case.provider.protocols["realtime"]) > 1
    return f"{case.provider.name} ({case.protocol})" if several else case.provider.name


def _options(case: Case) -> str:
    return ", ".join(f"`{name}`" for name in sorted(getattr(case.codec, "vendor_options", ()))) or "–"


if __name__ == "__main__":
    TARGET.write_text(render())
