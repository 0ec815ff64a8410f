"""Black Forest Labs (https://docs.bfl.ai): the FLUX models, whose pictures are jobs. Nothing of it was recorded."""

from betterai.core.provider import HeaderAuth, Provider, Setting
from betterai.providers.bfl.images import Flux2Images, FluxImages

PROVIDER = Provider(
    name="bfl",
    title="Black Forest Labs",
    docs="https://dashboard.bfl.ai/keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("BFL_API_KEY",), secret=True),
        Setting(name="base_url", env=("BFL_BASE_URL",), default="https://api.bfl.ai/v1"),
    ),
    auth=HeaderAuth(header="x-key"),
    hosts=("api.bfl.ai", "api.eu.bfl.ai", "api.us.bfl.ai", "api.eu1.bfl.ai", "api.us1.bfl.ai"),
    protocols={"image": {"flux": FluxImages(), "flux_2": Flux2Images()}},
    defaults={"image": "flux-2-pro"},
    codec_settings=("base_url",),
)
