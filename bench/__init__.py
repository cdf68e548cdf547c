"""Measures the bot against a naive client and against the least that anybody could do.

It drives the real process through the sandbox, and is no part of the program: nothing imports it.
"""
