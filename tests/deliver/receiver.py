"""A webhook over TLS that checks signatures as its makers would, not as Outflow does."""

import datetime
import hashlib
import hmac
import http.server
import ipaddress
import json
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certified(subject, extension, issuer, key, signer):
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    certificate = builder.add_extension(extension, critical=True).sign(signer, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM)


def certificates(authority_file, server_file):
    """Writes the certificate of an authority, and certificate and key of a server on this machine."""
    authority, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    key = server.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(authority_file, "wb") as file:
        file.write(certified("authority", constraints, "authority", authority, authority))
    with open(server_file, "wb") as file:
        file.write(certified("server", here, "authority", server, authority) + key)


class Receiver:
    """Turns the first request away, and takes each delivery once."""

    def __init__(self, server_file, secret):
        self.deliveries, self.requests, self.wrong = {}, 0, []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                parts = dict(part.split("=") for part in self.headers["X-Outflow-Signature"].split(","))
                signed = hmac.new(secret, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
                if not hmac.compare_digest(signed, parts["v1"]) or abs(time.time() - int(parts["t"])) > 60:
                    receiver.wrong.append(self.headers["X-Outflow-Signature"])
                receiver.requests += 1
                if receiver.requests > 1:
                    receiver.deliveries[self.headers["X-Outflow-Delivery"]] = json.loads(body)
                self.send_response(503 if receiver.requests == 1 else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server_file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"https://127.0.0.1:{server.server_port}/hook"
