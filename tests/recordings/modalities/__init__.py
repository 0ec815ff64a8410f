"""Independent readings of the categories other than text: plain dicts, and nothing of ours."""
