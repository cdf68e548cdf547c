"""A local Telegram and a local HiDream, real HTTP servers, to try and to test the bot with no account."""
