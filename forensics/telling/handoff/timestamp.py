"""Time stamps after RFC 3161: asked for by name alone, kept as they came, checked against the authority's certificate."""

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from forensics.errors import ForensicsError, UsageError
from forensics.telling.handoff.opening import wrong

_LARGEST = 1 << 20
_PATIENCE = 30
"""seconds"""


def asked(url: str, text: bytes) -> bytes:
    """Ask a time stamp authority about a text (only its hash is sent) and return its answer; ForensicsError where it gives none."""
    if not url.startswith(("http://", "https://")):
        raise UsageError("is no address of a time stamp authority", where="--timestamp", hint="https://...")
    request = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).cert_request(cert_request=True).build()
    asking = urllib.request.Request(url, request.as_bytes(), {"Content-Type": "application/timestamp-query"})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(asking, timeout=_PATIENCE) as answer:  # noqa: S310 - checked above
            token: bytes = answer.read(_LARGEST)
        found = decode_timestamp_response(token)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        raise ForensicsError(
            f"the time stamp authority gave no time stamp: {error}", where=url, hint="try again, or leave --timestamp out"
        ) from error
    if found.status not in (0, 1) or found.tst_info.message_imprint.message != _hashed(text):
        raise ForensicsError("the time stamp authority refused, or answered about something else", where=url, hint="try another authority")
    return token


def hashed_text(token: bytes, text: bytes, authority: Path | None) -> str:
    """Check that a time stamp is about a text, and, with the authority's certificates, that it is the authority's; return its time."""
    try:
        found = decode_timestamp_response(token)
        if found.tst_info.message_imprint.message != _hashed(text):
            raise wrong("timestamp.tsr", "is not about this statement")
        if authority:
            _verified(found, text, authority)
        return found.tst_info.gen_time.isoformat()
    except (ValueError, VerificationError) as error:
        raise wrong("timestamp.tsr", f"does not hold: {error}") from error


def _verified(found: TimeStampResponse, text: bytes, authority: Path) -> None:
    try:
        certificates = load_pem_x509_certificates(authority.read_bytes())
    except (ValueError, OSError) as error:
        raise UsageError(
            f"holds no certificates: {error}", where=str(authority), hint="the authority's root certificates, as PEM"
        ) from error
    builder = VerifierBuilder()
    for certificate in certificates:
        builder = builder.add_root_certificate(certificate)
    builder.build().verify_message(found, text)


def _hashed(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
