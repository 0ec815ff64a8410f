"""Servers written by others, which our client must get along with."""
