"""Groq's batches (https://console.groq.com/docs/batch, 2026-11): OpenAI's, of Chat Completions alone."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_batches import OpenAIBatches


class GroqBatches(OpenAIBatches):
    """They may take up to a week; a day is what is asked for."""

    carries: ClassVar = {"text": {"openai_chat": "/v1/chat/completions"}}
