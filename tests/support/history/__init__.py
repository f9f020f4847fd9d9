"""A world that changes by the real actions, at random but the same each time, and what its tables said on each day."""
