"""Who acts, and when: the one place that may ask the system and the clock."""

import getpass
import os
from datetime import UTC, datetime

from forensics.errors import RecordError, UsageError


def user() -> str:
    """Return the name of the system's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in containers
        return f"uid {os.getuid()}"


def moment(text: str | None) -> str:
    """Return a time in UTC; now, where none is given."""
    from forensics import times

    if text is None:
        return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")  # noqa: TID251 - see above
    try:
        return times.show(times.parse(text, "UTC")[0])
    except RecordError as error:
        raise UsageError(error.what, where="--time", hint="write 2024-08-01T09:00:00Z") from error
