"""The store's tests: one contract suite over both stores, and what only SQLite can break."""
