"""Those that no server wants: after each of them it still answers."""

import socket
import struct
import time

import adbc_driver_flightsql.dbapi as flight
import psycopg
from server import Server, arguments, ok, same

LIMITS = ["--connections", "20", "--statements", "4"]

# Files and connections that a server may have open at once: fewer than come.
DESCRIPTORS = 80

# Bytes of a message at most.
MESSAGE_BYTES = 16 << 20


def main():
    with Server(*arguments(), *LIMITS, flight=True) as server:
        garbage(server)
        lengths(server)
        flushed(server)
        kept(server)
        crowd(server)
        slow(server)
        large(server)
        waiting(server)
        flights(server)
    with Server(*arguments(), flight=True, descriptors=DESCRIPTORS) as server:
        without_descriptors(server)


def startup(user=b"ana"):
    body = struct.pack("!I", 196608) + b"user\0" + user + b"\0database\0outflow\0\0"
    return struct.pack("!I", len(body) + 4) + body


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def all_of(stream):
    """What a server says until it ends the connection."""
    said = b""
    try:
        while part := stream.recv(65536):
            said += part
    except ConnectionError:
        pass
    return said


def ready(port):
    """A connection that was let in by hand."""
    stream = connect(port)
    stream.sendall(startup())
    said = b""
    while not said.endswith(b"Z\0\0\0\5I"):
        said += stream.recv(65536)
    return stream


def answers(server, after):
    with psycopg.connect(server.dsn()) as connection:
        same(connection.execute("SELECT 40 + 2").fetchone(), (42,), f"after {after}")
    same(server.is_alive(), True, f"after {after}")
    ok(f"after {after} it answers")


def garbage(server):
    for port in server.pg, server.flight:
        for said in b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 40, b"\0" * 5000, b"\xff" * 5000, b"\x16\x03\x01" * 100:
            with connect(port) as stream:
                try:
                    stream.sendall(said)
                    stream.shutdown(socket.SHUT_WR)
                except OSError:
                    continue
                all_of(stream)
    # What follows a good start.
    for kind in b"QPBDECHSpdcf\0\x7f":
        for body in b"", b"\0", b"x" * 100, b"\xff" * 100, b"\0" * 8:
            with ready(server.pg) as stream:
                stream.sendall(message(bytes([kind]), body) + message(b"X", b""))
                all_of(stream)
    answers(server, "bytes that mean nothing")


def lengths(server):
    with connect(server.pg) as stream:
        stream.sendall(struct.pack("!I", 0x7FFFFFFF) + b"x" * 100)
        same(b"too long" in all_of(stream), True, "a start that is too long")
    with ready(server.pg) as stream:
        stream.sendall(b"Q" + struct.pack("!I", 0x7FFFFFFF) + b"SELECT")
        same(b"C54000" in all_of(stream), True, "a message that is too long")
    with ready(server.pg) as stream:
        stream.sendall(b"Q" + struct.pack("!I", 3))
        same(b"C08P01" in all_of(stream), True, "a message that is too short")
    # Half a message, and then nothing: the connection waits, the others do not.
    halves = [ready(server.pg) for _ in range(5)]
    for half in halves:
        half.sendall(message(b"Q", b"SELECT 1\0")[:-3])
    answers(server, "messages that are too long, too short or half")
    for half in halves:
        half.close()


def until(stream, end):
    said = b""
    while not said.endswith(end):
        part = stream.recv(65536)
        if not part:
            break
        said += part
    return said


def flushed(server):
    """Errors are told at once: also to who waits for them before a Sync."""
    idle = b"Z\0\0\0\5I"
    with ready(server.pg) as stream:
        stream.sendall(message(b"Q", b"SELECT '\xff'\0"))
        same(b"C22021" in until(stream, idle), True, "a query that is no text")
        stream.sendall(message(b"Q", b"SELECT 1\0"))
        same(b"SELECT 1\0" in until(stream, idle), True, "a query after it")
        stream.sendall(message(b"P", b"\0SELEC 1\0\0\0") + message(b"H", b""))
        same(b"C42601" in until(stream, b"\0\0"), True, "what is wrong, before a Sync")
        stream.sendall(message(b"S", b""))
        same(until(stream, idle), idle, "a Sync")
    # What needs no engine takes its time, too.
    with ready(server.pg) as stream:
        stream.sendall(message(b"Q", b"SET statement_timeout = 100\0"))
        until(stream, idle)
        stream.sendall(message(b"Q", b"SHOW ALL;" * 60_000 + b"\0"))
        same(b"C57014" in until(stream, idle), True, "a statement of 60,000")
    answers(server, "errors that are waited for")


def kept(server):
    """What a connection may keep."""

    def code(connection, sql):
        try:
            connection.execute(sql)
        except psycopg.Error as error:
            return error.sqlstate
        return None

    with psycopg.connect(server.dsn()) as connection:
        for number in range(8):
            connection.execute(f"DECLARE c{number} CURSOR FOR SELECT * FROM flows")
        same(code(connection, "DECLARE c8 CURSOR FOR SELECT * FROM flows"), "53400", "cursors")
        connection.rollback()
        same(code(connection, "SET my.name = '" + "x" * 1025 + "'"), "22023", "a long setting")
        connection.rollback()
        same(code(connection, "SET client_encoding = " + "'" * 3 + "utf-8" + "'" * 3), None, "an encoding with quotes")
        same(code(connection, "SELECT 99999999999::int"), "22003", "a number that is too large")
        connection.rollback()
        same(code(connection, "SELECT count(*) FROM flows WHERE action ~ '('"), "2201B", "a wrong expression")
    with ready(server.pg) as stream:
        large = b"SELECT '" + b"x" * 15_000_000 + b"'\0\0\0"
        for number in range(5):
            stream.sendall(message(b"P", b"s%d\0" % number + large))
        stream.sendall(message(b"S", b""))
        said = until(stream, b"Z\0\0\0\5I")
        same((said.count(b"1\0\0\0\4"), b"C53400" in said), (4, True), "statements of 75 MB")
    answers(server, "who keeps too much")


def crowd(server):
    """More connections than there may be: silent ones, and such as were let in."""
    silent = []
    for _ in range(200):
        silent.append(connect(server.pg))
    answers(server, "200 connections that say nothing")
    for stream in silent:
        stream.close()
    inside, refused = [], 0
    for _ in range(200):
        stream = connect(server.pg)
        stream.sendall(startup())
        said = b""
        while not said.endswith(b"Z\0\0\0\5I") and b"C53300" not in said:
            part = stream.recv(65536)
            if not part:
                break
            said += part
        if b"C53300" in said:
            refused += 1
            stream.close()
        else:
            inside.append(stream)
    same((len(inside), refused), (20, 180), "how many were let in")
    same(b"C53300" in said, True, "how one too many is told")
    for stream in inside:
        stream.close()
    time.sleep(0.5)
    # Of the other protocol.
    flights = [connect(server.flight) for _ in range(100)]
    with flight.connect(f"grpc://127.0.0.1:{server.flight}", autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 42 AS n")
        same(cursor.fetchone(), (42,), "beside 100 that say nothing")
    # The server ends it, or this ends by its timeout.
    all_of(flights[0])
    for stream in flights:
        stream.close()
    answers(server, "200 connections that were let in as far as there was room")


def slow(server):
    """Who asks for all rows and reads none keeps nobody waiting."""
    readers = [ready(server.pg) for _ in range(8)]
    for reader in readers:
        reader.sendall(message(b"Q", b"SELECT * FROM flows a, (SELECT 1 UNION ALL SELECT 2) b\0"))
    time.sleep(1)
    began = time.monotonic()
    with psycopg.connect(server.dsn()) as connection:
        same(connection.execute("SELECT count(*) FROM sources").fetchone()[0] > 0, True, "beside slow readers")
    same(time.monotonic() - began < 20, True, "in time")
    answers(server, "eight that read nothing of what they asked for")
    for reader in readers:
        reader.close()


def large(server):
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        listed = ", ".join(str(number) for number in range(300_000))
        told = connection.execute(f"SELECT count(*) FROM flows WHERE bytes IN ({listed})").fetchone()
        same(told[0] > 0, True, "a long list")
        for sql, code in {
            "SELECT " + " + ".join(["1"] * 100_000): "54000",
            "SELECT " + "(" * 100_000 + "1" + ")" * 100_000: "54000",
            "SELECT '" + "x" * 8_000_000: "42601",
        }.items():
            try:
                connection.execute(sql)
            except psycopg.Error as error:
                same(error.sqlstate, code, sql[:30])
            else:
                same("it was done", code, sql[:30])
    answers(server, "statements of megabytes")


def waiting(server):
    """A client that goes while its statement runs leaves nothing behind."""
    sql = b"SELECT count(*) FROM flows a JOIN flows b ON a.bytes < b.bytes JOIN flows c ON b.bytes < c.bytes\0"
    for _ in range(6):
        with ready(server.pg) as stream:
            stream.sendall(message(b"Q", sql))
            time.sleep(0.2)
    answers(server, "clients that went before their answers")


def in_flight(server, **options):
    return flight.connect(f"grpc://127.0.0.1:{server.flight}", db_kwargs=options, autocommit=True)


def flights(server):
    """The same by Flight SQL: 200 who are let in, slow readers, messages that are too long."""
    inside, refused = [], 0
    for _ in range(200):
        connection = in_flight(server)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 AS one")
                same(cursor.fetchone(), (1,), "one of 200")
        except flight.Error as error:
            same("too many clients" in str(error), True, f"how one too many is told: {error}")
            refused += 1
            connection.close()
        else:
            inside.append(connection)
    same((len(inside), refused), (20, 180), "how many were let in by Flight SQL")
    for connection in inside:
        connection.close()
    time.sleep(0.5)
    answers(server, "200 connections by Flight SQL")
    # They ask for all rows several times over, and take none.
    slow = []
    for _ in range(8):
        connection = in_flight(server)
        cursor = connection.cursor()
        cursor.execute("SELECT a.* FROM flows a, (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) b")
        slow.append((connection, cursor, cursor.fetch_record_batch()))
    began = time.monotonic()
    with in_flight(server) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) > 0 AS some FROM sources")
        same(cursor.fetchone(), (True,), "beside slow readers by Flight SQL")
    same(time.monotonic() - began < 20, True, "in time")
    answers(server, "eight that read nothing of what they asked for by Flight SQL")
    for connection, cursor, reader in slow:
        reader.close()
        cursor.close()
        connection.close()
    # The client has a bound of its own, which is raised.
    large = {"adbc.flight.sql.client_option.with_max_msg_size": str(4 * MESSAGE_BYTES)}
    with in_flight(server, **large) as connection, connection.cursor() as cursor:
        try:
            cursor.execute("SELECT '" + "x" * MESSAGE_BYTES + "'")
        except flight.Error as error:
            same("too large" in str(error), True, f"a message that is too long: {error}")
        else:
            same("it was done", "it is refused", "a message that is too long")
        cursor.execute("SELECT 2 AS two")
        same(cursor.fetchone(), (2,), "after a message that was too long")
    answers(server, "a message by Flight SQL that is too long")


def without_descriptors(server):
    """Where the system gives no more descriptors, those who come wait until others go; the server neither ends nor spins."""
    for port in server.pg, server.flight:
        crowd = [connect(port) for _ in range(2 * DESCRIPTORS)]
        time.sleep(1)
        before = server.cpu_secs()
        time.sleep(2)
        same(server.is_alive(), True, "without descriptors")
        same(server.cpu_secs() - before < 0.5, True, "it does not spin without descriptors")
        for stream in crowd:
            stream.close()
    answers(server, "more connections than it has descriptors")
    with in_flight(server) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 42 AS n")
        same(cursor.fetchone(), (42,), "by Flight SQL after more connections than descriptors")


main()
