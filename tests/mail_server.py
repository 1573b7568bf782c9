"""A mail server of our own on a socket: it keeps what it is sent, or does what a test wants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


class MailServer(ThreadingTCPServer):
    """Speaks as much SMTP as Django asks for.

    `recipient` and `data` are its answers to an address and to a mail, `before_answer` happens
    when a mail was taken and the sender does not know it yet.
    """

    daemon_threads = True
    recipient = b"250 OK"
    data = b"250 OK"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mails: list[Message] = []
        self.before_answer: Callable[[], None] = lambda: None

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Conversation(StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.say(b"220 mail.example ESMTP")
        while command := self.rfile.readline().strip().upper():
            match command[:4]:
                case b"RCPT":
                    self.say(self.server.recipient)
                case b"DATA":
                    self.say(b"354 Go on")
                    self.take()
                case b"QUIT":
                    self.say(b"221 Bye")
                    return
                case _:
                    self.say(b"250 OK")

    def take(self) -> None:
        lines = list(iter(self.rfile.readline, b".\r\n"))
        if self.server.data.startswith(b"2"):
            self.server.mails.append(message_from_bytes(b"".join(lines)))
        self.server.before_answer()
        self.say(self.server.data)

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
