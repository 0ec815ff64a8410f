"""Google's Gemini API (https://ai.google.dev): its models are in the catalogue; calls come with its protocol."""

from betterai.core.provider import HeaderAuth, Provider, Setting
from betterai.providers.google.files import GoogleFiles
from betterai.providers.google.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="google",
    title="Google",
    docs="https://aistudio.google.com/apikey",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("GOOGLE_API_KEY", "GEMINI_API_KEY"), secret=True),
        Setting(name="base_url", env=("GOOGLE_GEMINI_BASE_URL",), default="https://generativelanguage.googleapis.com"),
    ),
    auth=HeaderAuth(header="x-goog-api-key"),
    models=lambda: PROVIDER_MODELS,
    protocols={"files": {"files": GoogleFiles()}},
    list_models_path="/v1beta/models?pageSize=1000",
)
