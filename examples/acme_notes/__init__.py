"""Acme Notes: a small product with users, passwords and sessions of its own, guarded by Nightlatch.

What Nightlatch needs from a product is in two_factor.py; everything else is a product as any other.
"""
