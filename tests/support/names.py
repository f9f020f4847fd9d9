"""A real name server on loopback, written by others than the resolver that asks it."""

from collections.abc import Iterator
from contextlib import contextmanager

from dnslib import QTYPE, RCODE, RR, TXT, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer


class NameServer(BaseResolver):  # type: ignore[misc]  # it comes without types
    """Answers with the texts that a test gives it. Every other name is not there."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.failing = False
        self.asked: list[str] = []
        self.port = 0

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """One question."""
        name = str(request.q.qname).removesuffix(".").lower()
        self.asked.append(name)
        reply = request.reply()
        if self.failing:
            reply.header.rcode = RCODE.SERVFAIL
        elif name not in self.texts:
            reply.header.rcode = RCODE.NXDOMAIN
        elif request.q.qtype == QTYPE.TXT:
            for text in self.texts[name]:
                pieces = [text[at : at + 200] for at in range(0, len(text), 200)]
                reply.add_answer(RR(request.q.qname, QTYPE.TXT, ttl=0, rdata=TXT(pieces)))
        return reply

    @property
    def setting(self) -> str:
        """For NIGHTLATCH_NAME_SERVERS."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def name_server() -> Iterator[NameServer]:
    """One that runs, on a free port."""
    answers = NameServer()
    server = DNSServer(answers, address="127.0.0.1", port=0, logger=DNSLogger(log="", logf=lambda _: None))
    answers.port = server.server.server_address[1]
    server.start_thread()
    try:
        yield answers
    finally:
        server.stop()
        server.server.server_close()
