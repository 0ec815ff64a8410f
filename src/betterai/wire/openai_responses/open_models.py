"""Responses as servers of open models have them: functions are all the tools, and thoughts are plain text."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses.client import OpenAIResponses


class OpenModelsResponses(OpenAIResponses):
    """What most of them leave out of the protocol. A vendor subclasses this and states the rest."""

    developer_role = False
    functions_only = True
    cache_marks = False
    cache_fields = frozenset()
    allowed_tools = False
    server_search = False
    obfuscation = False
    encrypted_thoughts = False
    reasoning_texts = True
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
