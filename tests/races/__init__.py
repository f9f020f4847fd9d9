"""Races and durability: laws 4, 5 and 8 with threads and processes, both engines, kill -9 in the middle of a burst."""

import os

KILLS = int(os.environ.get("TEST_KILLS", "200"))
"""How often a server is killed."""
