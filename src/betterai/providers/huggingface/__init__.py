"""Hugging Face's router to inference providers (https://huggingface.co/docs/inference-providers).

A model's id may end in `:` and the one who is to serve it (`openai/gpt-oss-120b:cerebras`, or `:fastest`, `:cheapest`).
The setting `route` asks one of them alone, by the name that the router gives it: `together/v1`.
"""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.huggingface.chat import HuggingFaceChat
from betterai.providers.huggingface.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="huggingface",
    title="Hugging Face",
    docs="https://huggingface.co/settings/tokens",
    base_url="https://router.huggingface.co/{route}",
    settings=(
        Setting(name="api_key", env=("HF_TOKEN", "HUGGINGFACE_API_KEY"), secret=True),
        Setting(name="route", default="v1", about="v1, or one provider's: together/v1"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"text": {"openai_chat": HuggingFaceChat()}},
    defaults={"text": "openai/gpt-oss-120b"},
    list_models_path="/models",
)
