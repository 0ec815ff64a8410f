"""Bytes: the only code that opens sockets. One attempt. It knows no model, no message and no vendor."""
