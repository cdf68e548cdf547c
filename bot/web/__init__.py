"""The HTTP side: what others call. Each module of routes here is for one kind of caller."""
