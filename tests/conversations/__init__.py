"""Conversations with the bot, played for real and written down in docs/conversations.md."""
