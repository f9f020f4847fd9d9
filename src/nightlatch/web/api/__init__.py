"""The JSON API below /api/v1, one file a story."""
