"""Keys, and a signature in a DSSE envelope. Ed25519 alone: deterministic, and plain enough to be checked by the bundle's own program.

https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

import base64
import hashlib
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from forensics.errors import ForensicsError, UsageError
from forensics.telling.handoff.commitments import canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_AGENT_SIGN, _AGENT_SIGNED, _AGENT_LIST, _AGENT_LISTED = 13, 14, 11, 12
_OURS = b"ssh-ed25519"


@dataclass(frozen=True, slots=True)
class Signer:
    """Something that signs, and its public key."""

    public: Ed25519PublicKey
    sign: Callable[[bytes], bytes]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key's 32 bytes, in hexadecimal."""
        return fingerprint(self.public)

    @property
    def pem(self) -> bytes:
        """The public key as openssl reads it."""
        return self.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(public: Ed25519PublicKey) -> str:
    """Return the SHA-256 of a public key's 32 bytes."""
    return hashlib.sha256(_raw(public)).hexdigest()


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def read_key(path: Path) -> Signer:
    """Read a private key (OpenSSH or PEM), or the public half of one that an ssh agent holds; UsageError where it is neither."""
    data = path.read_bytes()
    if data.startswith(_OURS):
        return from_agent(data)
    load = serialization.load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else serialization.load_pem_private_key
    try:
        key = load(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        hint = "an Ed25519 key without a passphrase: ssh-keygen -t ed25519 -N '' -f key; a key with one goes into ssh-agent: name its .pub"
        raise UsageError(f"can't be read as a private key: {error}", where=str(path), hint=hint) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("is no Ed25519 key", where=str(path), hint="ssh-keygen -t ed25519 -f key")
    return Signer(key.public_key(), key.sign)


def envelope(signer: Signer, payload: bytes) -> bytes:
    """Return the DSSE envelope of a payload, as canonical JSON."""
    return enveloped(signer.fingerprint, payload, signer.sign(pae(payload)))


def enveloped(keyid: str, payload: bytes, signature: bytes) -> bytes:
    """Return the envelope of a payload and its signature; there is one way to write it."""
    pair = {"keyid": keyid, "sig": base64.b64encode(signature).decode()}
    return canonical({"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, "signatures": [pair]})


def pae(payload: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def holds(pem: bytes, payload: bytes, signature: bytes) -> bool:
    """Tell whether a signature over a payload is this key's."""
    key = serialization.load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify(signature, pae(payload))
    except InvalidSignature:
        return False
    return True


def public_fingerprint(pem: bytes) -> str:
    """Return the fingerprint of a public key in PEM; ValueError where it is no Ed25519 key."""
    key = serialization.load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("no Ed25519 key")  # noqa: TRY004 - as the library's own errors about keys are
    return fingerprint(key)


# https://datatracker.ietf.org/doc/html/draft-ietf-sshm-ssh-agent


def from_agent(public: bytes) -> Signer:
    """Return a signer whose private half an ssh agent holds; ForensicsError where no agent has it."""
    key = serialization.load_ssh_public_key(public)
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("is no Ed25519 key", hint="ssh-keygen -t ed25519 -f key")
    blob = _string(_OURS) + _string(_raw(key))
    if blob not in _strings(_ask(bytes([_AGENT_LIST]), _AGENT_LISTED)[4:])[::2]:
        raise ForensicsError("the ssh agent does not hold this key", hint="ssh-add KEY, or name the private key's own file")
    return Signer(key, lambda message: _signed(blob, message))


def _signed(blob: bytes, message: bytes) -> bytes:
    answer = _ask(bytes([_AGENT_SIGN]) + _string(blob) + _string(message) + bytes(4), _AGENT_SIGNED)
    return _strings(_strings(answer)[0])[1]


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _strings(data: bytes) -> list[bytes]:
    found = []
    while len(data) >= 4:
        size = struct.unpack(">I", data[:4])[0]
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


def _ask(request: bytes, expected: int) -> bytes:
    """Ask the agent whose socket SSH_AUTH_SOCK names (a file of this machine, no network)."""
    place = os.environ.get("SSH_AUTH_SOCK")
    if not place:
        raise ForensicsError("no ssh agent is running here", hint="eval $(ssh-agent) and ssh-add KEY, or name the private key's own file")
    try:
        with socket.socket(socket.AF_UNIX) as agent:
            agent.connect(place)
            agent.sendall(_string(request))
            answer = _exactly(agent, struct.unpack(">I", _exactly(agent, 4))[0])
    except (OSError, struct.error) as error:
        raise ForensicsError(f"the ssh agent does not answer: {error}", hint="see that it runs: ssh-add -l") from error
    if not answer or answer[0] != expected:
        raise ForensicsError("the ssh agent refused", hint="unlock it, or confirm when it asks")
    return answer[1:]


def _exactly(agent: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < min(size, 1 << 20):
        part = agent.recv(size - len(data))
        if not part:
            break
        data += part
    return data
