"""Single sign-on, seen from the protocols: what a provider said, and how it was asked. No database, no page."""
