"""The bench: its arithmetic, its table, and a row from end to end."""
