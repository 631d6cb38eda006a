"""Names the kinds of evidence that nobody handed in, and that could speak for somebody."""

from dataclasses import dataclass

from forensics.tables import Tables


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of evidence, how it could speak for somebody, and the actions that show that it was handed in."""

    name: str
    could: str
    actions: tuple[str, ...]
    """beginnings of the actions that records of this kind show"""


KINDS = (
    Kind("door and badge records", "that somebody was elsewhere at the time", ("person.present",)),
    Kind("calendar and meeting records", "that somebody was in a meeting at the time", ("meeting.",)),
    Kind("records of the device itself (logon, lock, processes)", "that a device was locked, off, or used by another account", ("device.logon", "device.lock", "device.unlock", "device.process")),
    Kind("VPN, proxy and single sign-on sessions", "that an account was signed in from elsewhere, or by somebody else", ("session.",)),
    Kind("address leases", "that an address belonged to another device", ("device.lease",)),
    Kind("custody of keys and tokens", "that a credential was shared, copied or lost", ("credential.issue", "credential.revoke")),
    Kind("grants and removals of access", "that somebody could not have done it, or that others could", ("access.",)),
    Kind("process records of the hosts", "that another process or account did it", ("process.exec",)),
    Kind("records of reviews", "that a change was seen and agreed to by others", ("code.review",)),
    Kind("triggers of automation", "that a robot acted without anybody at the keyboard", ("automation.",)),
    Kind("troubles of nodes (down, drained, not ready)", "that a node was faulty, and no change did the harm", ("node.state",)),
    Kind("checks of stored files against recorded hashes", "that a file was damaged by a fault", ("file.check",)),
)  # fmt: skip


def not_supplied(tables: Tables) -> list[Kind]:
    """List the kinds of which no record was read."""
    seen = [row["action"] for row in tables.rows("SELECT DISTINCT action FROM events WHERE action IS NOT NULL ORDER BY action")]
    return [kind for kind in KINDS if not any(action.startswith(kind.actions) for action in seen)]
