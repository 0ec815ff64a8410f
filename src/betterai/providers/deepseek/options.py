"""What only DeepSeek understands, for `settings.options["deepseek"]`."""

from __future__ import annotations

from typing import TypedDict


class DeepSeekOptions(TypedDict, total=False):
    """Where its own service is asked."""

    beta: bool
    """Ask at `/beta`: a last message of the assistant is gone on with, and strict tools are held to their schemas
    (https://api-docs.deepseek.com/guides/chat_prefix_completion).
    """
