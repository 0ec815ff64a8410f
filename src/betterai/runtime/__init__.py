"""Where codec meets transport: registry, factory, runners, attempts, media, the sync face, relay and replay."""
