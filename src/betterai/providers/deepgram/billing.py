"""What Deepgram bills on top."""

BILLED_MORE = (
    "diarize", "diarize_model", "redact", "keyterm", "detect_entities", "summarize", "topics", "intents", "sentiment",
)  # fmt: skip
"""What costs more than listening alone (https://deepgram.com/pricing)."""
