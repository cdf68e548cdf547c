"""Ports of this machine that nobody listens at: for what is told its port before it listens."""

import socket
from collections.abc import Sequence


def free_port() -> int:
    """Give a port that nobody listens at."""
    (port,) = free_ports(1)
    return port


def free_ports(count: int) -> Sequence[int]:
    """Give so many, no two the same."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
