"""The client of HiDream's asynchronous image-to-image API; it knows nothing of chats or the store.

`client` has one method a call, `wire` turns JSON into types and back, `errors` is the tree of what
can go wrong, `classify` the tables that choose from it, and `download` fetches results safely.
"""
