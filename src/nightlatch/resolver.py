"""Asks DNS for the texts of a name: for domains that a workspace says are its own. Blocking; never in a transaction."""

from collections.abc import Sequence

import dns.exception
import dns.resolver

from nightlatch.config_checks import NameServer

_SECONDS = 5.0


class Unanswered(Exception):
    """DNS gave no answer, good or bad: asking later may. `reason` is a sentence for the page."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Resolver:
    """Asks these name servers, or those of the system."""

    def __init__(self, servers: Sequence[NameServer] = ()) -> None:
        self._servers = tuple(servers)

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, each as one text; none where the name or the record is not there.

        Raises Unanswered.
        """
        try:
            answer = self._ask().resolve(name, "TXT", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.resolver.LifetimeTimeout, dns.resolver.NoNameservers):
            raise Unanswered("The name servers gave no answer. Try again in a minute.") from None
        except (dns.exception.DNSException, OSError):
            raise Unanswered(
                "DNS could not be asked from here. Tell whoever runs this installation."
            ) from None
        return tuple(b"".join(each.strings).decode("utf-8", "replace") for each in answer)

    def _ask(self) -> dns.resolver.Resolver:
        """A fresh one for each look: nothing is cached, so that a record just written is found."""
        resolver = dns.resolver.Resolver(configure=not self._servers)
        resolver.lifetime = _SECONDS
        if self._servers:
            resolver.nameservers = [each.address for each in self._servers]
            resolver.nameserver_ports = {each.address: each.port for each in self._servers}
        return resolver
