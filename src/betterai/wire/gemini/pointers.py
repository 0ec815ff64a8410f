"""Where the settings that warnings name stand in a request's body: JSON pointers (RFC 6901), `*` for any index."""

from __future__ import annotations

from collections.abc import Mapping

from betterai.wire.gemini.fields import BODY, CONFIG
from betterai.wire.gemini.spelling import SNAKE_POINTERS

_FUNCTIONS = "/tools/*/functionDeclarations/*"
_CALLING = "/toolConfig/functionCallingConfig"

POINTERS: Mapping[str, tuple[str, ...]] = {
    **SNAKE_POINTERS,
    **{name: (f"/generationConfig/{field}",) for name, field in CONFIG.items()},
    **{name: (f"/{field}",) for name, field in BODY.items()},
    "reasoning": ("/generationConfig/thinkingConfig",),
    "response_format": (
        "/generationConfig/responseMimeType", "/generationConfig/responseSchema",
        "/generationConfig/responseJsonSchema",
    ),
    "tool_choice": (_CALLING,),
    "audio": ("/generationConfig/speechConfig",),
    "audio.format": ("/generationConfig/speechConfig",),
    "web_search": ("/tools/*/googleSearch",),
    "tools.parameters": (f"{_FUNCTIONS}/parameters", f"{_FUNCTIONS}/parametersJsonSchema"),
    "tools.opaque": ("/tools/*",),
    "reasoning.include": ('/generationConfig/thinkingConfig',),
    "reasoning.format": ('/generationConfig/thinkingConfig',),
    "reasoning.summary": ('/generationConfig/thinkingConfig',),
    "response_format.name": ('/generationConfig/responseSchema', '/generationConfig/responseJsonSchema'),
    "response_format.description": ('/generationConfig/responseSchema', '/generationConfig/responseJsonSchema'),
    "response_format.strict": ('/generationConfig/responseSchema', '/generationConfig/responseJsonSchema'),
    "web_search.context_size": ('/tools/*',),
    "web_search.user_location": ('/tools/*',),
    "tools.type": ('/tools/*',),
    "tools.strict": ('/tools/*',),
    "tools.cache": ('/tools/*',),
    "media.detail": ('/contents/*/parts/*',),
    "media.filename": ('/contents/*/parts/*',),
    "messages.name": ('/contents/*/parts/*',),
    "messages.reasoning": ('/contents/*/parts/*',),
    "messages.refusal": ('/contents/*/parts/*',),
    "messages.citations": ('/contents/*/parts/*',),
    "messages.cache": ('/contents/*/parts/*',),
    "messages.is_error": ('/contents/*/parts/*',),
    "messages.media": ('/contents/*/parts/*',),
    "messages.tool_name": ('/contents/*/parts/*/functionResponse/name',),
    "media": ("/contents/*/parts/*",),
    "messages": ("/contents/*", "/systemInstruction"),
    "messages.role": ("/contents/*/role",),
    "messages.parts": ("/contents", "/systemInstruction", "/system_instruction"),
    "messages.opaque": ("/contents/*/parts/*",),
    "messages.signature": ("/contents/*/parts/*/thoughtSignature",),
    "messages.tool_calls": ("/contents/*/parts/*",),
    "messages.tool_call_id": ("/contents/*/parts/*/functionResponse", "/contents/*/parts/*/functionCall"),
}  # fmt: skip
