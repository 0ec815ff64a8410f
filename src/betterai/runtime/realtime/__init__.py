"""Realtime sessions: a channel of events, and what a session does around it."""
