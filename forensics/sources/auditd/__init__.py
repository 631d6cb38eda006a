"""Reads the Linux audit log as auditd writes it (audit.log): who ran what, wrote, read or removed which file, in which login.

- groups.py: lines -> groups of records of one event, and where a file may be cut between them
- fields.py: a record's fields, raw or enriched, hex or quoted
- syscalls.py: numbers of system calls, and what an open was for
- meaning.py: a group -> events
"""

from forensics.model import Tier
from forensics.source import Source
from forensics.sources.auditd.groups import split
from forensics.sources.auditd.meaning import read

SOURCE = Source(
    name="auditd",
    reads="the Linux audit daemon's audit.log, raw or enriched: logins, executions, and accesses to the files that its rules watch",
    collect=(
        "scp -p 'root@<host>:/var/log/audit/audit.log*' .",
        "auditctl -l > audit-rules.txt   (which executions and files were watched at all)",
    ),
    reference="https://github.com/linux-audit/audit-documentation/wiki",
    tier=Tier.T2,
    keeps="auditd, as many files as num_logs in auditd.conf says: often only days on a busy host",
    split=split,
    read=read,
)
