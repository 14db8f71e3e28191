"""Answers requests, one JSON line each: a peer is started once, and answers until nobody can ask any more."""

import json
import os
import socketserver
import sys
import threading
import traceback


def millis(moment):
    return round(moment.timestamp() * 1000)


def answer_all(operations: dict, requests, answers) -> None:
    for line in requests:
        request = json.loads(line)
        try:
            answer = {"ok": operations[request.pop("do")](**request)}
        except Exception as error:  # the test decides what an error means
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        print(json.dumps(answer, default=millis), file=answers, flush=True)


def serve(operations: dict) -> None:
    """Until standard input ends."""
    answers = _answers()
    print(json.dumps({"ok": "ready"}), file=answers, flush=True)
    answer_all(operations, sys.stdin, answers)


def serve_many(open_operations, socket: str) -> None:
    """Each connection to a Unix socket in a thread with operations of its own, until standard input ends."""

    class Connection(socketserver.StreamRequestHandler):
        def handle(self):
            with open(self.connection.fileno(), "w", encoding="utf-8", closefd=False) as answers:
                answer_all(open_operations(), self.rfile, answers)

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    answers = _answers()
    with Server(socket, Connection) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"ok": "ready"}), file=answers, flush=True)
        sys.stdin.read()
        server.shutdown()


def _answers():
    """What libraries print must not land between the answers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers
