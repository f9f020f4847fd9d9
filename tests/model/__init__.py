"""A model of the whole life of two workspaces, beside the real actions."""
