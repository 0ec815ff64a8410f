"""Z.AI (https://docs.z.ai): the GLM models.

There are two addresses, and a key works at one: the general one is the default, that of the coding plan is set with
`ZAI_BASE_URL=https://api.z.ai/api/coding/paas/v4` (or `base_url` of `CoreConfig`). The wrong one answers 429,
"Insufficient balance": a `QuotaExceededError`.
"""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.zai.chat import ZAIChat
from betterai.providers.zai.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="zai",
    title="Z.AI",
    docs="https://z.ai/manage-apikey/apikey-list",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("ZAI_API_KEY",), secret=True),
        Setting(
            name="base_url",
            env=("ZAI_BASE_URL",),
            default="https://api.z.ai/api/paas/v4",
            about="for the coding plan: https://api.z.ai/api/coding/paas/v4",
        ),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"text": {"openai_chat": ZAIChat()}},
    defaults={"text": "glm-5.3"},
)
