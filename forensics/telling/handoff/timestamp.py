"""Time stamps after RFC 3161: asked for by name alone, kept as they came, checked against the authority's certificate."""

import hashlib
import http.client
import urllib.error
import urllib.request

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from forensics.errors import ForensicsError, UsageError

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


def _hashed(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
