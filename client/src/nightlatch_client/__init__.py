"""Workspace two-factor authentication for products that keep their own users."""
