"""The tests of Nightlatch: one folder a layer, and what they share in `support`."""
