"""Text providers that wrap others: `Middleware`, and those that are made of it.

They take whatever answers texts, another one of them or a router too, and are called as providers are:

    provider = betterai.Cached(betterai.Redacted("groq/openai/gpt-oss-120b"), path="answers.db")
    response = await betterai.generate(provider, "Hello")
"""
