"""A thin HTTP/1.1 client for direct connections: one request and one reply at a time, a pool for each event loop."""
