"""Acme Notes' pages and its API, one file each."""
