"""The vendors' own SDKs as judges of both halves of a protocol."""
