"""The store: inbox, tasks, images, delivery steps. It knows nothing of Telegram, HTTP or the bot."""
