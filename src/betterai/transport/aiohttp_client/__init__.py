"""What goes over aiohttp: proxies, sessions of the user's own, WebSockets, large bodies. Imported when one is sent."""
