"""The translations of what the bot says, and what keeps their files in step with the English."""
