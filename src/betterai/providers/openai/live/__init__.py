"""The Live API (`gpt-live-1`): a model that hears and speaks at once, and has others work for it. The client half.

From openai 3.57.0, types/live/ and resources/live/live.py. Left out: forks and sidebands of sessions, WebRTC and SIP,
muting, fixtures of sound, and Decisions; their frames come as `VendorEvent`, and go out with `SendVerbatim`.
"""

from betterai.providers.openai.live.client import OpenAILiveVoice

__all__ = ["OpenAILiveVoice"]
