"""Routes, the gate, pages and the JSON API."""
