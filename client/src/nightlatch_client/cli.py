"""The command line."""


def main() -> None:
    """Filled in below."""
