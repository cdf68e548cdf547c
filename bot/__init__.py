"""The program: chat in, pictures out."""
