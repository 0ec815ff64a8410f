"""Speech and transcription as they come: over one WebSocket, or sentence by sentence."""
