"""Reads syslog as hosts keep it (auth.log, secure, messages): who logged in, from where, with which key, and what sudo ran.

- lines.py: a line's frame: time, host, program, process, message
- years.py: which year a line without one belongs to
- messages.py: what programs say: sshd, sudo, su, systemd-logind
"""

from collections.abc import Iterator

from forensics import records
from forensics.model import Batch, Piece, Tier
from forensics.source import Source
from forensics.sources.syslog.lines import Reader
from forensics.sources.syslog.years import split


def read(piece: Piece) -> Iterator[Batch]:
    """Read the lines of a piece."""
    return records.each_line(piece, Reader(piece.source, piece.context).parse)


SOURCE = Source(
    name="syslog",
    reads="logins by ssh and at consoles, sudo and su, from a host's auth.log, secure or messages (RFC 3164, RFC 5424, or with ISO times)",
    collect=(
        "scp -p 'root@<host>:/var/log/auth.log*' .   (Debian, Ubuntu)",
        "scp -p 'root@<host>:/var/log/secure*' .   (Red Hat, SUSE: messages*)",
        "journalctl --output=short-iso-precise --facility=auth,authpriv > auth.log   (hosts that keep a journal only)",
    ),
    reference="https://www.rfc-editor.org/rfc/rfc5424 and https://www.rfc-editor.org/rfc/rfc3164",
    tier=Tier.T2,
    keeps="the host's logrotate, usually four weeks; longer on a log host",
    split=split,
    read=read,
)
