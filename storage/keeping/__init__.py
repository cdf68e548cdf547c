"""Keeping what the bot keeps: backups and their way back, rows written out, and forgetting by hand."""
