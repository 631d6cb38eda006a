"""Times as people read them: in a zone of their choice, with whatever fraction the record has."""

from forensics.times import SECOND, show, show_in


def moment(nanoseconds: int | None, zone: str) -> str:
    """Write a time in ISO 8601: UTC as the contract has it, another zone with its offset; nothing where there is none."""
    if nanoseconds is None:
        return ""
    if zone == "UTC":
        return show(nanoseconds)
    text = show_in(nanoseconds, zone).replace(" ", "T", 1)
    nanos = nanoseconds % SECOND
    return f"{text[:19]}.{nanos:09d}".rstrip("0") + text[19:] if nanos else text
