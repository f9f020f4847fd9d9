"""Harbour, a product on Django with its own users: `django.contrib.auth`, teams, notes, payouts, API tokens."""
