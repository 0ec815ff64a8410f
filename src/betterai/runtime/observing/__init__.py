"""Who is told of calls, and what they are told."""
