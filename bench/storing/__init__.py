"""The store of a million tasks: building it, and measuring it in a process of its own."""
