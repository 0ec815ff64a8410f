"""Cascades: realtime voice made of speech to text, a text model and text to speech."""
