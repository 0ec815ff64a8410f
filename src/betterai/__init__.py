"""BetterAI."""
