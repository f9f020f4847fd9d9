"""Acme Notes' settings, from its environment."""

import os
from pathlib import Path

PORT = int(os.environ.get("ACME_PORT") or 8001)
ORIGIN = os.environ.get("ACME_ORIGIN") or f"http://localhost:{PORT}"
DATA = Path(os.environ.get("ACME_DATA") or "data-acme")
NIGHTLATCH_URL = os.environ.get("NIGHTLATCH_URL") or "http://localhost:8000"
NIGHTLATCH_SECRET_FILE = Path(os.environ.get("NIGHTLATCH_SECRET_FILE") or DATA / "nightlatch.secret")
LIVE_EVERY = float(os.environ.get("ACME_LIVE_EVERY") or 10)
"""Seconds between two looks at whether an open WebSocket may stay open."""
DEMO = os.environ.get("ACME_DEMO") == "1"
"""Show who can sign in, and the mailbox: on a developer's machine only."""
