"""OpenAI (https://platform.openai.com/docs)."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.openai.files import OpenAIFiles
from betterai.providers.openai.live import OpenAILiveVoice
from betterai.providers.openai.live_transcription import OpenAILive
from betterai.providers.openai.models import PROVIDER_MODELS
from betterai.providers.openai.responses import OpenAIOwnResponses
from betterai.providers.openai.webhooks import OpenAIWebhooks
from betterai.wire.openai_batches import OpenAIBatches
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_embeddings import OpenAIEmbeddings
from betterai.wire.openai_images import OpenAIImages
from betterai.wire.openai_moderations import OpenAIModerations
from betterai.wire.openai_realtime import OpenAIRealtime
from betterai.wire.openai_responses import OpenAIResponsesCount
from betterai.wire.openai_speech import OpenAISpeech
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.openai_videos import OpenAIVideos

RESPONSES = OpenAIOwnResponses()

PROVIDER = Provider(
    name="openai",
    title="OpenAI",
    docs="https://platform.openai.com/api-keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("OPENAI_API_KEY",), secret=True),
        Setting(name="base_url", env=("OPENAI_BASE_URL",), default="https://api.openai.com/v1"),
        Setting(name="organization", env=("OPENAI_ORG_ID",), required=False),
        Setting(name="project", env=("OPENAI_PROJECT_ID",), required=False),
    ),
    auth=BearerAuth(),
    headers={"OpenAI-Organization": "{organization}", "OpenAI-Project": "{project}"},
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"openai_responses": RESPONSES, "openai_chat": OpenAIChat()},
        "count": {"openai_responses": OpenAIResponsesCount(RESPONSES)},
        "files": {"files": OpenAIFiles()},
        "embeddings": {"openai_embeddings": OpenAIEmbeddings()},
        "moderation": {"openai_moderations": OpenAIModerations()},
        "image": {"openai_images": OpenAIImages()},
        "audio": {"openai_transcriptions": OpenAITranscriptions(), "openai_live_stt": OpenAILive()},
        "tts": {"openai_speech": OpenAISpeech()},
        "video": {"openai_videos": OpenAIVideos()},
        "batch": {"openai_batches": OpenAIBatches()},
        "realtime": {"openai_realtime": OpenAIRealtime(), "openai_live": OpenAILiveVoice()},
    },
    defaults={"text": "gpt-6-luna", "embeddings": "text-embedding-3-small", "moderation": "omni-moderation-latest"},
    list_models_path="/models",
    webhooks=OpenAIWebhooks(),
)
