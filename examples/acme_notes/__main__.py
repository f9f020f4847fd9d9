"""`python -m acme_notes`: serves on localhost."""

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from acme_notes import settings

if __name__ == "__main__":
    Server(
        "acme_notes.app:app",
        address="127.0.0.1",
        port=settings.PORT,
        interface=Interfaces.ASGI,
        websockets=True,
        log_level=LogLevels.warning,
    ).serve()
