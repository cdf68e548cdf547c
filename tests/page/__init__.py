"""The chat page: over HTTP, and in a real browser."""
