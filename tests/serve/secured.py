"""Users and TLS: who may ask, over what."""

import shutil
import subprocess

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as flight
import psycopg
from server import Server, arguments, ok, same

TOKEN = "0123456789abcdef0123456789abcdef"


def main():
    outflow, scratch = arguments()

    def line(option, name, secret):
        told = subprocess.run([outflow, "serve", option, name], input=secret + "\n", capture_output=True, text=True, check=True)
        return told.stdout

    users = f"{scratch}/users"
    with open(users, "w") as file:
        file.write(line("--hash-password", "ana", "correct horse") + line("--hash-token", "grafana", TOKEN))
    with Server(outflow, scratch, "--users", users, flight=True) as server:
        passwords(server)
        tokens(server, f"grpc://127.0.0.1:{server.flight}", {})
    if not shutil.which("openssl"):
        print("skipped: TLS, as there is no openssl to make a certificate")
        return
    cert, key = f"{scratch}/cert.pem", f"{scratch}/key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )
    with Server(outflow, scratch, "--users", users, "--tls-cert", cert, "--tls-key", key, flight=True) as server:
        secured(server, cert)
        with open(cert) as file:
            trust = {adbc_driver_flightsql.DatabaseOptions.TLS_ROOT_CERTS.value: file.read()}
        tokens(server, f"grpc+tls://127.0.0.1:{server.flight}", trust)


def refused(dsn):
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError as error:
        return str(error)
    return "it is let in"


def passwords(server):
    with psycopg.connect(server.dsn(password="'correct horse'")) as connection:
        same(connection.execute("SELECT current_user").fetchone(), ("ana",), "who it is")
    same("password authentication failed for user \"ana\"" in refused(server.dsn(password="wrong")), True, "a wrong password")
    same("password authentication failed for user \"bob\"" in refused(server.dsn("bob", password="wrong")), True, "nobody")
    same("it is let in" in refused(server.dsn()), False, "no password")
    same("password authentication failed" in refused(server.dsn("grafana", password=TOKEN)), True, "a token as password")
    same("does not exist" in refused(server.dsn(password="'correct horse'", dbname="other")), True, "another database")
    ok("PostgreSQL's protocol lets in who knows a password (SCRAM), and nobody else")


def tokens(server, uri, options):
    asked = "SELECT count(*) AS n FROM sources"
    expected = [[str(server.asked("SELECT count(*) FROM sources")[0][0])]]

    def told(**who):
        names = {"authorization": adbc_driver_flightsql.DatabaseOptions.AUTHORIZATION_HEADER.value}
        who = {names.get(name, name): value for name, value in who.items()}
        with flight.connect(uri, db_kwargs={**options, **who}, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(asked)
            return [[str(value) for value in row] for row in cursor.fetchall()]

    same(told(username="ana", password="correct horse"), expected, "by password")
    same(told(authorization=f"Bearer {TOKEN}"), expected, "by token")
    for who in {"username": "ana", "password": "wrong"}, {"authorization": "Bearer " + TOKEN[::-1]}, {"authorization": "Basic !"}, {}:
        try:
            told(**who)
        except flight.Error as error:
            same("UNAUTHENTICATED" in str(error).upper(), True, f"{who}: {error}")
        else:
            same("let in", "refused", f"{who}")
    ok(f"Flight SQL lets in who knows a password or a token, and nobody else ({uri.split(':')[0]})")


def secured(server, cert):
    dsn = server.dsn(password="'correct horse'", sslmode="verify-full", sslrootcert=cert, host="localhost")
    with psycopg.connect(dsn) as connection:
        same(connection.pgconn.ssl_in_use, True, "whether it is TLS")
        same(connection.execute("SELECT count(*) FROM sources").fetchone()[0] > 0, True, "an answer")
    same("TLS" in refused(server.dsn(password="'correct horse'", sslmode="disable")), True, "without TLS")
    ok("over TLS the server is who it says, and nobody asks without")


main()
