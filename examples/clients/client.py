#!/usr/bin/env python3
"""A program that reads two fields of the identity card in the reader, through the eidkit agent. Python's standard library only.

  EIDKIT_AGENT=ws://127.0.0.1:24340/v1   where the agent listens (this is the default)
  EIDKIT_TOKEN=...                       what `eid pair` printed

It prints JSON lines, and exits with 1 when the agent refused. docs/protocol.md has all methods.
"""
import base64
import json
import os
import socket
import struct
import sys
from urllib.parse import urlsplit


class Refused(Exception):
    """The agent's answer to a request that failed: code to branch on, text for the user."""

    def __init__(self, error):
        super().__init__(error["message"])
        data = error.get("data", {})
        self.code, self.retry, self.text = data.get("code", "INTERNAL"), data.get("retry", False), data.get("text", {})


class Agent:
    """JSON-RPC over the frames of RFC 6455, section 5.2."""

    def __init__(self, url, token):
        address = urlsplit(url)
        self.last = 0
        self.socket = socket.create_connection((address.hostname, address.port))
        self.input = self.socket.makefile("rb")
        # The token stands in a header, which no web page can set.
        self.socket.sendall((
            f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            f"Sec-WebSocket-Protocol: eidkit.v1\r\nAuthorization: Bearer {token}\r\n\r\n").encode())
        status = self.input.readline().split()
        if status[1:2] != [b"101"]:
            # 401: the token is none. 403: another user's agent, or the pairing was withdrawn.
            raise ConnectionError(f"the agent refused the connection: {b' '.join(status[1:]).decode()}")
        while self.input.readline().strip():
            pass

    def call(self, method, **params):
        self.last += 1
        self.send(1, json.dumps({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}).encode())
        while True:
            message = json.loads(self.receive())
            if message.get("id") != self.last:
                continue  # a notification: readers and cards, progress
            if "error" in message:
                raise Refused(message["error"])
            return message["result"]

    def close(self):
        self.send(8, struct.pack(">H", 1000))
        self.socket.close()

    def send(self, opcode, data):  # a client masks what it sends
        length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(data))
        mask = os.urandom(4)
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        message = b""
        while True:
            head, length = self.read(2)
            if length == 126:
                length, = struct.unpack(">H", self.read(2))
            elif length == 127:
                length, = struct.unpack(">Q", self.read(8))
            data = self.read(length)
            if head & 15 == 9:
                self.send(10, data)  # the agent looks whether we are alive
            elif head & 15 == 8:
                raise ConnectionError("the agent ended the connection")
            elif head & 15 <= 2:
                message += data
                if head & 0x80:
                    return message

    def read(self, n):
        data = self.input.read(n)
        if len(data) < n:
            raise ConnectionError("the connection broke")
        return data


def show(value):
    print(json.dumps(value, ensure_ascii=False), flush=True)


def main():
    try:
        agent = Agent(os.environ.get("EIDKIT_AGENT", "ws://127.0.0.1:24340/v1"), os.environ.get("EIDKIT_TOKEN", ""))
        show({"readers": agent.call("readers.list")["readers"]})
        # The user is asked, unless the administrator's policy allows it: the answer may take a minute.
        read = agent.call("identity.read", fields=["surname", "givenNames"], purpose="Example in Python")
        show({name: read[name] for name in ("cardId", "identity", "trusted")})
        agent.close()
    except Refused as e:  # e.code: NO_CARD, CONSENT_DENIED, ...; e.text: en, nl, fr, de
        show({"error": {"code": e.code, "retry": e.retry, "text": e.text.get("nl", str(e))}})
        return 1
    except OSError as e:
        show({"error": {"code": "AGENT_ABSENT", "retry": True, "text": str(e)}})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
