"""Defaults and environment variables, read in this one place, at first use."""
