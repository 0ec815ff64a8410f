"""What is large: memory while a gibibyte goes in or out, and how long the event loop is held up meanwhile."""
