"""Recorded exchanges read by our codecs, offline; it judges us."""
