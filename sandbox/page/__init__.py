"""A chat page on the sandbox: a person's side of the local Telegram, in a browser.

The page talks to the sandbox alone, never to the bot; what it shows beside the chat (calls, the
store's rows, switches for faults) is for whoever develops or shows the bot.
"""
