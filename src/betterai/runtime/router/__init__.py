"""A text provider made of text providers: fallback, choice, circuit breakers, hedges, and streams that break."""
