"""Nightlatch: mandatory two-factor authentication for every workspace."""

__version__ = "0.1.0"
