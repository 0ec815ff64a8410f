"""BetterAI: one typed layer over every AI provider and every modality.

    response = await betterai.generate("groq/openai/gpt-oss-120b", "Hello")
    async for chunk in betterai.stream("local/eliza", "Hello"):
        print(chunk.content, end="")

Everything here is loaded when it is first used: importing BetterAI costs next to nothing and opens no socket.
`__init__.pyi` beside this file says the same to type checkers.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "config.environment": "load_config",
    "config.providers": "ALL_MODELS",
    "core.base": (
        "BaseAudioProvider BaseBatchProvider BaseEmbeddingProvider BaseFilesProvider BaseImageProvider "
        "BaseModerationProvider BaseRealtimeProvider BaseRerankProvider BaseTextProvider BaseTTSProvider "
        "BaseVideoProvider"
    ),
    "core.batches": "BatchCounts BatchLimits BatchLine BatchPart BatchRequest BatchStatus BatchTotals",
    "core.config": "CoreConfig Retries Timeout",
    "core.events": (
        "CallEnded CallEvent CallInfo CallStarted FirstContent ToolEnded ToolInfo ToolStarted TransportEvent"
    ),
    "core.exceptions": (
        "APIConnectionError APITimeoutError AuthenticationError BadRequestError BetterAIError ConfigurationError "
        "ConnectTimeout ContentFilterError ContextLengthError FirstByteTimeout IdleTimeout JobInDoubt LimitReached "
        "ModelNotFoundError OutputInvalidError OverloadedError PermissionDeniedError ProviderError QuotaExceededError "
        "RateLimitError SpendLimitReached StepLimitReached StreamInterrupted TotalTimeout UnsupportedParam "
        "ValidationError WebhookSignatureError"
    ),
    "core.jobs": "JobHandle",
    "core.media": "Media",
    "core.message": ("CacheMark Citation MediaPart Message Opaque Reasoning Refusal Text ToolCall ToolResult"),
    "core.model": "ModelCapabilities ModelConfig ModelTraits",
    "core.price": "Price Rates Tier price_usage",
    "core.provider": "BearerAuth HeaderAuth NoAuth Provider QueryAuth Setting",
    "core.realtime": (
        "AudioCleared AudioCommitted InputTranscript Interrupted ItemAdded ItemDeleted ItemTruncated OutputAudio "
        "OutputReasoning OutputText OutputTranscript RateLimit RateLimitsStated RealtimeChannel RealtimeFinish "
        "RealtimeOutput RealtimeToken Reconnected ResponseDone ResponseStarted ResumptionOffered SessionEnding "
        "SessionError SessionInfo SessionOpened SessionUpdated SessionWarned SpeechStarted SpeechStopped StageMeasured "
        "ToolCallPiece ToolCalled ToolRan ToolsCancelled UsageStated VendorEvent"
    ),
    "core.realtime_input": (
        "AddMessages AddToolResults AppendAudio CancelResponse ClearAudio CommitAudio DeleteItem RealtimeEvent "
        "RealtimeInput Respond SendVerbatim ShowImage StartSpeech TruncateItem UpdateSession"
    ),
    "core.realtime_session": "RealtimeSession",
    "core.realtime_settings": "AudioFormat RealtimeSettings Transcription TurnDetection",
    "core.response": ("Attempt CallWarning FinishReason ProviderResponse TextChunk Timing TokenLogprob ToolCallDelta"),
    "core.results": (
        "EmbeddingResponse ImageChunk ImageResponse ModerationResponse ModerationVerdict Ranked "
        "RerankResponse Segment Speech SpeechChunk Voice Word "
        "Transcript TranscriptChunk VideoResponse "
        "FileHandle TokenCount"
    ),
    "core.routing": "Breaker Hedge Target",
    "core.runs": "ToolOutcome ToolRun ToolStep",
    "core.settings": (
        "AudioOutput EmbeddingSettings GenerationSettings ImageSettings ModerationSettings PromptCache "
        "ReasoningControl RerankSettings SpeechSettings StreamOptions TranscriptionSettings "
        "VideoSettings WebSearch"
    ),
    "core.tools": "CustomTool JsonObject JsonSchema PlainText ServerTool Tool ToolChoice",
    "core.usage": "Cost Usage",
    "core.webhooks": "WebhookEvent",
    "runtime.batches.line_by_line.options": "BatchRunner",
    "runtime.batches.store": "BatchStore",
    "runtime.batches.batch": "Batch",
    "runtime.cascade.provider": "cascade",
    "runtime.client": "Client",
    "runtime.clients": "ai_clients",
    "runtime.conversation": "Conversation",
    "runtime.factory": (
        "get_audio_provider get_batch_provider get_embedding_provider get_image_provider get_moderation_provider "
        "get_realtime_provider get_rerank_provider get_text_provider get_tts_provider get_video_provider "
        "register_audio_provider register_batch_provider register_embedding_provider register_image_provider "
        "register_moderation_provider register_realtime_provider register_rerank_provider register_text_provider "
        "register_tts_provider register_video_provider"
    ),
    "runtime.tools.functions": "ToolFunction tool",
    "runtime.jobs.store": "JobStore",
    "runtime.jobs.job": "Job",
    "runtime.modality_calls": (
        "embed generate_image generate_video moderate rerank save_media speak start_image start_video stream_image "
        "stream_speech stream_transcription transcribe"
    ),
    "runtime.media.sources": "read_media",
    "runtime.middleware.base": "Middleware ProviderCall",
    "runtime.middleware.cached": "Cached",
    "runtime.middleware.logged": "Logged",
    "runtime.middleware.redacted": "Redacted",
    "runtime.middleware.spend_limit": "SpendLimit",
    "runtime.observing.listeners": "Observation observe",
    "runtime.realtime.opening": "realtime realtime_token",
    "runtime.router.router": "Router",
    "runtime.router.status": "RouterStatus RouteStatus TargetStatus",
    "runtime.storage": "dump_messages load_messages",
    "runtime.stream": "TextStream",
    "runtime.tools.stream": "ToolStream",
    "runtime.jobs.webhooks": "parse_webhook",
    "runtime.text_calls": "count_tokens generate run_tools stream stream_tools",
}
_MODULES = {
    "sync": "runtime.sync",
    "batches": "runtime.batches",
    "durable": "runtime.durable",
    "files": "runtime.files",
    "opentelemetry": "runtime.opentelemetry",
}
_EXPORTS = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [*_EXPORTS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value: Any = import_module(f"betterai.{_MODULES[name]}")
    elif name in _EXPORTS:
        value = getattr(import_module(f"betterai.{_EXPORTS[name]}"), name)
    else:
        raise AttributeError(f"module 'betterai' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
