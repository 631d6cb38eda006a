"""Who called: the account and session that a userIdentity stands for."""

from functools import lru_cache
from typing import NamedTuple

from forensics.fields import decode
from forensics.sources.cloudtrail.format import IDENTITY, Identity, Issuer, SessionContext


class Who(NamedTuple):
    """A caller: account, session and key, and what the session says of itself."""

    actor: str | None = None
    session: str | None = None
    credential: str | None = None
    mfa: bool | None = None
    invoked_by: str | None = None
    source_identity: str | None = None


_NOBODY = Who()


@lru_cache(maxsize=8192)
def who(data: bytes) -> Who:
    """Read a userIdentity; thousands of records bear the same one."""
    if data == b"null":
        return _NOBODY
    identity = decode(IDENTITY, data)
    context = identity.session_context or SessionContext()
    actor, session = _account(identity, context.session_issuer or Issuer())
    mfa = context.attributes.mfa_authenticated if context.attributes else None
    return Who(
        actor,
        session,
        f"token:{identity.access_key_id}" if identity.access_key_id else None,
        None if mfa is None else mfa in {True, "true"},
        identity.invoked_by,
        context.source_identity,
    )


def _account(identity: Identity, issuer: Issuer) -> tuple[str | None, str | None]:
    """Return (account, session) of an identity, by its type."""
    kind, user, number = identity.type, identity.user_name, identity.account_id
    tail = (identity.arn or "").rpartition(":")[2]
    if kind == "Root":
        return f"aws:root@{number}" if number else "aws:root", None
    if kind == "AssumedRole":
        return _role(identity, issuer, tail)
    if kind == "FederatedUser":
        name = user or tail.partition("/")[2] or (identity.principal_id or "").partition(":")[2]
        return aws(name), f"aws:{issuer.user_name}/{name}" if issuer.user_name and name else None
    if kind == "AWSService" or (kind is None and identity.invoked_by):
        return f"service:{identity.invoked_by}" if identity.invoked_by else None, None
    if kind == "AWSAccount":
        anonymous = number == "ANONYMOUS_PRINCIPAL" or identity.principal_id == "Anonymous"
        return None if anonymous else aws(number), None
    if kind == "IdentityCenterUser" and identity.on_behalf_of:
        return aws(identity.on_behalf_of.user_id), None
    return aws(user or tail.rpartition("/")[2]), None


def _role(identity: Identity, issuer: Issuer, tail: str) -> tuple[str | None, str | None]:
    """Return (account, session) of an assumed role: `assumed-role/<role>/<session name>`.

    Sessions of IAM Identity Center (roles `AWSReservedSSO_<permission set>_<hex>`) are named by the identity centre after
    the user who signed in, so there the name is the account; elsewhere whoever assumes the role chooses it.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    _, _, rest = tail.partition("/")
    role, _, name = rest.rpartition("/")
    role = issuer.user_name or role or rest
    name = name if rest.count("/") else (identity.principal_id or "").partition(":")[2]
    if not role:
        return aws(identity.user_name or identity.principal_id), None
    session = f"aws:{role}/{name}" if name else None
    return (aws(name) if name and role.startswith("AWSReservedSSO_") else aws(role)), session


def aws(name: str | None) -> str | None:
    """Return an account's reference."""
    return f"aws:{name}" if name else None
