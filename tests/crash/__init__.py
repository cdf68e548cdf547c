"""The crash suite: the bot is killed again and again, and then everything is counted."""
