"""Verifies signed tokens with PyJWT, which is not ours: one JSON object a line in, one line of verdict out.

In:  {"token": "...", "key": "<public key or certificate, PEM>", "algorithm": "PS256", "audience": "...", "proof": false}
Out: {"header": {...}, "claims": {...}, "thumbprints": {...}} or {"refused": "<why>"}
"""

import base64
import hashlib
import json
import sys

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public_key(pem):
    """The key, and the thumbprints of the certificate if it is one."""
    if "BEGIN CERTIFICATE" not in pem:
        return serialization.load_pem_public_key(pem.encode()), {}
    certificate = x509.load_pem_x509_certificate(pem.encode())
    der = certificate.public_bytes(serialization.Encoding.DER)
    thumbprints = {"x5t#S256": base64url(hashlib.sha256(der).digest()), "x5t": base64url(hashlib.sha1(der).digest())}
    return certificate.public_key(), thumbprints


def verdict(line):
    asked = json.loads(line)
    try:
        header = jwt.get_unverified_header(asked["token"])
        if "key" in asked:
            key, thumbprints = public_key(asked["key"])
        else:  # A proof carries its public key in its header.
            key, thumbprints = jwt.PyJWK(header["jwk"], algorithm=asked["algorithm"]).key, {}
        claims = jwt.decode(
            asked["token"],
            key,
            algorithms=[asked["algorithm"]],
            audience=asked.get("audience"),
            options={"require": asked.get("require", ["iat", "jti"])},
        )
        return {"header": header, "claims": claims, "thumbprints": thumbprints}
    except Exception as error:  # Whatever it is, the token was not verified.
        return {"refused": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(verdict(line)), flush=True)
