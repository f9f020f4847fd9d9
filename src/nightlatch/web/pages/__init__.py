"""The pages, one file a story: each handler reads or calls one action, and renders one template."""
