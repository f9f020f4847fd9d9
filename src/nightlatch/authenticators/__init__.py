"""What proves identity, one file a kind: values in, values out; no clock, database, framework or request."""
