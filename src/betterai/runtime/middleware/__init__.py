"""Text providers that wrap others: `Middleware`, and those that are made of it.

They take whatever answers texts, another one of them too, and are called as providers are.
"""

from __future__ import annotations

from betterai.runtime.middleware.base import Middleware, ProviderCall

__all__ = ["Middleware", "ProviderCall"]
