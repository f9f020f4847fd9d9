"""The reasons that people give for weighty acts: kept in the audit log, and mailed to those concerned."""

from nightlatch.refusals import invalid

LONGEST = 300


def clean_reason(text: str | None, *, needed: bool, field: str = "reason") -> str:
    """The text on one line, without what cannot be seen; "" where there is none and none is needed.

    Raises Refused (`invalid`, at `field`) for a missing or too long one.
    """
    line = " ".join("".join(each if each.isprintable() else " " for each in text or "").split())
    if needed and not line:
        raise invalid(field, "Say it in a few words: it is kept with the record.")
    if len(line) > LONGEST:
        raise invalid(field, f"This is too long. At most {LONGEST} characters.")
    return line
