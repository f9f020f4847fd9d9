"""Whether what SAML needs is installed: it is an extra, and who does not use it does not carry its parsers."""

from importlib.util import find_spec

HOW = 'pip install "nightlatch[saml]"'


def installed() -> bool:
    """Whether SAML can be spoken here."""
    return find_spec("lxml") is not None and find_spec("signxml") is not None
