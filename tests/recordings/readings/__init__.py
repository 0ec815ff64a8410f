"""Independent readings, a protocol each."""
