"""Converse with Bedrock's own options, and the names of the tools that it runs itself."""

from __future__ import annotations

from typing import ClassVar

from betterai.providers.bedrock.options import BedrockOptions
from betterai.wire.bedrock_converse import BedrockConverse


class Converse(BedrockConverse):
    vendor_options = frozenset(BedrockOptions.__annotations__)
    system_tools: ClassVar = {"web_search": "nova_grounding", "code_execution": "nova_code_interpreter"}
    """https://docs.aws.amazon.com/nova/latest/nova2-userguide/using-tools.html, 2026-11"""
