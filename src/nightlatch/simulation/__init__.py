"""A rollout of 2FA to a whole company, played through by the real actions on a database of its own, in minutes."""
