"""Messages at Anthropic itself: the protocol as it is, and the options that only its own service has."""

from __future__ import annotations

from betterai.providers.anthropic.options import AnthropicOptions
from betterai.wire.anthropic_messages import AnthropicMessages


class ClaudeMessages(AnthropicMessages):
    """The protocol's own service."""

    vendor_options = frozenset(AnthropicOptions.__annotations__)
