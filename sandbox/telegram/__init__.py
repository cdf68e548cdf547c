"""A local Telegram: the Bot API on one side, the people who talk to the bot on the other."""
