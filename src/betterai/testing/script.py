"""A scripted provider behind a provider's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from betterai.core.provider import Provider
from betterai.runtime.registry import register_provider, unregister_provider

if TYPE_CHECKING:
    from betterai.testing import ScriptedProvider, Step


@contextmanager
def scripted(
    script: Iterable[Step] = (), *, name: str = "scripted", sleep: Callable[[float], Awaitable[None]] | None = None
) -> Iterator[ScriptedProvider]:
    """Answer calls of `name`, whatever the model, with this script: `betterai.generate("scripted/any", …)`.

    The name of a real provider may be given: inside the block its models are answered by the script, without a key.
    """
    from betterai.testing import ScriptedProvider

    provider = ScriptedProvider(script, sleep=sleep)

    def find(**_: Any) -> ScriptedProvider:
        return provider

    declaration = Provider(name=name, title=name, embedded=True, protocols={"text": {"script": find}})
    register_provider("text", name, declaration, replace=True)
    try:
        yield provider
    finally:
        unregister_provider(name)
