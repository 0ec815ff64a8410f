"""A sceptic's benchmark: BetterAI against raw aiohttp, the openai SDK and the LiteLLM SDK. `python -m benchmarks`."""
