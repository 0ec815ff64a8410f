"""Black Forest Labs (https://docs.bfl.ai): the FLUX models.

The base URLs `https://api.eu.bfl.ai/v1` and `https://api.us.bfl.ai/v1` keep calls in a region.
"""

from betterai.core.provider import HeaderAuth, Provider, Setting
from betterai.providers.bfl.images import FluxImages
from betterai.providers.bfl.models import PROVIDER_MODELS
from betterai.providers.bfl.video import FluxVideo
from betterai.providers.bfl.webhooks import FluxWebhooks

CLUSTERS = (f"{region}{number}" for region in ("eu", "us") for number in range(1, 10))
"""UNVERIFIED, all but eu1 and us1: a reply to a submission names the one that has the job."""
HOSTS = tuple(
    f"{place}.bfl.ai" for place in ("api", "gateway", "api.eu", "api.us", *(f"api.{one}" for one in CLUSTERS))
)

PROVIDER = Provider(
    name="bfl",
    title="Black Forest Labs",
    docs="https://dashboard.bfl.ai",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("BFL_API_KEY",), secret=True),
        Setting(name="base_url", env=("BFL_BASE_URL",), default="https://api.bfl.ai/v1"),
    ),
    auth=HeaderAuth(header="x-key"),
    hosts=HOSTS,
    models=lambda: PROVIDER_MODELS,
    protocols={"image": {"flux_images": FluxImages()}, "video": {"flux_video": FluxVideo()}},
    defaults={"image": "flux-2-pro", "video": "flux-3-video"},
    codec_settings=("base_url",),
    webhooks=FluxWebhooks(),
)
