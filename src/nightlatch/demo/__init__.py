"""The demo world: made by the real actions, served on localhost only, never beside a real database."""
