"""Media: from what callers hand over to what a codec can send, and from replies into files."""
