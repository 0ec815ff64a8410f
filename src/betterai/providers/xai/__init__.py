"""xAI (https://docs.x.ai): the Grok models."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.xai.audio import XAISpeech, XAITranscriptions
from betterai.providers.xai.batches import XAIBatches
from betterai.providers.xai.chat import XAIChat
from betterai.providers.xai.files import XAIFiles
from betterai.providers.xai.images import XAIImages
from betterai.providers.xai.live_transcription import XAILive
from betterai.providers.xai.models import PROVIDER_MODELS
from betterai.providers.xai.realtime import XAIRealtime
from betterai.providers.xai.responses import XAIResponses
from betterai.providers.xai.tokenize import XAITokenize
from betterai.providers.xai.videos import XAIVideos

PROVIDER = Provider(
    name="xai",
    title="xAI",
    otel_name="x_ai",
    docs="https://console.x.ai",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("XAI_API_KEY",), secret=True),
        Setting(name="base_url", env=("XAI_BASE_URL",), default="https://api.x.ai/v1"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"openai_responses": XAIResponses(), "openai_chat": XAIChat()},
        "count": {"openai_chat": XAITokenize()},
        "image": {"openai_images": XAIImages()},
        "audio": {"xai_stt": XAITranscriptions(), "xai_live_stt": XAILive()},
        "video": {"xai_videos": XAIVideos()},
        "tts": {"xai_tts": XAISpeech()},
        "files": {"files": XAIFiles()},
        "batch": {"xai_batches": XAIBatches()},
        "realtime": {"openai_realtime": XAIRealtime()},
    },
    defaults={"text": "grok-4.7"},
    list_models_path="/models",
)
