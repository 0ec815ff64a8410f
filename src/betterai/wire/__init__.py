"""Codecs of the protocols that two or more providers speak, and their framing. Pure: no I/O, no clock, no vendor."""
