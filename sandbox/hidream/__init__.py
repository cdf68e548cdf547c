"""A local HiDream: its image-to-image API over real HTTP, with real work on the real photo."""
