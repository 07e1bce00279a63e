#!/usr/bin/env python3
"""Carafe's sealed sessions in Python, written from docs/sealed-format.md.

Without arguments it checks the vectors that Carafe's own tests use. With `--make` it prints the
vectors of version 1 anew; they are fixed by their seeds.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VECTORS = pathlib.Path(__file__).parent.parent / "crates/carafe-format/tests/vectors/sealed.jsonl"


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def xaes_derive(key, nonce):
    """The AES-256-GCM key and nonce of one message: c2sp.org/XAES-256-GCM, steps 1 to 6."""
    encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()
    doubled = int.from_bytes(encryptor.update(bytes(16))) << 1
    if doubled >> 128:
        doubled ^= (1 << 128) | 0b10000111
    k1 = doubled.to_bytes(16)
    halves = [bytes([0, counter, 0x58, 0]) + nonce[:12] for counter in (1, 2)]
    return b"".join(encryptor.update(xor(half, k1)) for half in halves), nonce[12:]


def hkdf(secret, info, length):
    return HKDF(SHA256(), length=length, salt=None, info=info).derive(secret)


def counted(*fields):
    return b"".join(len(field).to_bytes(8) + field for field in fields)


class Key:
    def __init__(self, secret, name):
        assert len(secret) >= 32
        self.cipher_key = hkdf(secret, b"carafe sealed session v1", 32)
        self.id = hkdf(secret, b"carafe sealed session v1 key id", 8)
        self.header = b"\x01" + self.id
        self.associated_data = counted(self.header, b"session", name.encode())

    def seal(self, session, issued, expires, nonce):
        key, gcm_nonce = xaes_derive(self.cipher_key, nonce)
        plaintext = issued.to_bytes(8) + expires.to_bytes(8) + session
        sealed = AESGCM(key).encrypt(gcm_nonce, plaintext, self.associated_data)
        return base64.urlsafe_b64encode(self.header + nonce + sealed).rstrip(b"=").decode()

    def open(self, text):
        """The session and its times, or None."""
        value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if base64.urlsafe_b64encode(value).rstrip(b"=").decode() != text:
            return None
        if len(value) < 65 or value[:9] != self.header:
            return None
        key, gcm_nonce = xaes_derive(self.cipher_key, value[9:33])
        try:
            plain = AESGCM(key).decrypt(gcm_nonce, value[33:], self.associated_data)
        except InvalidTag:
            return None
        return plain[16:], int.from_bytes(plain[:8]), int.from_bytes(plain[8:16])


def stream(label):
    """Bytes that look random and are always the same."""
    return hashlib.shake_256(f"carafe sealed v1 {label}".encode())


def make():
    """One row for each vector: a few of meaning, and a hundred of every length up to 2,600 bytes."""
    sessions = [
        b"{}",
        b'{"username":"admin"}',
        '{"name":"Zoë ☕"}'.encode(),
        b'{"_permanent":true,"cart":{" t":[1,2]},"n":1e400}',
        b"",
        b"\xff\x00 not JSON",
    ]
    lengths = [*range(1, 34), 47, 48, 49, *(round(34 * 1.07**n) for n in range(65))]
    sessions += [stream(f"session {n}").digest(length) for n, length in enumerate(lengths)]
    names = ["__Host-session", "session", "sid", "a-very-long-name" * 8]
    for n, session in enumerate(sessions):
        secret = stream(f"secret {n % 7}").digest([32, 33, 48, 64, 65, 100, 32][n % 7])
        name = names[n % 4]
        nonce = stream(f"nonce {n}").digest(24)
        issued = [1_700_000_000, 0, 2**32, 253_402_300_799][n % 4]
        expires = issued + [0, 1, 3600, 2_678_400][n % 4]
        key = Key(secret, name)
        yield {
            "secret_hex": secret.hex(),
            "cookie_name": name,
            "nonce_hex": nonce.hex(),
            "issued": issued,
            "expires": expires,
            "session_hex": session.hex(),
            "key_id_hex": key.id.hex(),
            "cookie": key.seal(session, issued, expires, nonce),
        }


def check_cipher():
    """The vectors of the cipher's specification."""
    nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX"
    for byte, data, expected in [
        (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ]:
        key, gcm_nonce = xaes_derive(bytes([byte] * 32), nonce)
        assert AESGCM(key).encrypt(gcm_nonce, b"XAES-256-GCM", data).hex() == expected


def check(path):
    check_cipher()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for number, row in enumerate(rows, 1):
        key = Key(bytes.fromhex(row["secret_hex"]), row["cookie_name"])
        session = bytes.fromhex(row["session_hex"])
        sealed = key.seal(session, row["issued"], row["expires"], bytes.fromhex(row["nonce_hex"]))
        assert sealed == row["cookie"], f"row {number} is sealed otherwise"
        assert key.id.hex() == row["key_id_hex"], f"row {number} has another key id"
        opened = key.open(row["cookie"])
        assert opened == (session, row["issued"], row["expires"]), f"row {number} opens otherwise"
        other = Key(bytes.fromhex(row["secret_hex"]), row["cookie_name"] + "2")
        assert other.open(row["cookie"]) is None, f"row {number} opens under another name"
    assert len(rows) > 100
    print(f"{len(rows)} sealed sessions, the same in Python")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make", action="store_true", help="print the vectors")
    if parser.parse_args().make:
        for row in make():
            print(json.dumps(row))
    else:
        check(VECTORS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
