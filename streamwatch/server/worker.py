"""gunicorn's threaded worker, which closes connections without delaying others."""

import socket
from contextlib import suppress

from gunicorn.util import close_graceful
from gunicorn.workers.gthread import TConn, ThreadWorker


class Worker(ThreadWorker):
    """Waits for a client to close its end in the thread that served the client.

    gunicorn waits for up to 2 s, so that the end of an answer is not lost (RFC 9112, section 9.6),
    but in the thread that accepts connections: one client that never closes would hold up all
    others.
    """

    def handle(self, conn: TConn) -> object:
        """Handle a request. A falsy result means that the connection is to be closed."""
        result: object = super().handle(conn)
        if not result:
            with suppress(OSError):  # closed already
                close_graceful(conn.sock.dup())
                conn.sock.shutdown(socket.SHUT_RD)  # so that gunicorn's own wait ends at once
        return result
