"""A sceptic's benchmark: BetterAI beside raw clients, official SDKs and other libraries. `python -m benchmarks`."""
