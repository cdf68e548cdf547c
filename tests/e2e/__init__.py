"""The real bot process between a local Telegram and a local HiDream, over HTTP."""
