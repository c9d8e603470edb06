"""A client written from schemas/WIRE.md, with flatc's generated Python and a WebSocket library.

    PYTHONPATH=<what generate.mjs --python wrote> python3 client.py ws://127.0.0.1:8080/ws/game

Two connections join. The first walks, and must see itself walk; the second must see it walk as well, and both must end
up with the same idea of where it is. Prints one line of JSON; the exit code is 0 when all of it was seen.
"""

import asyncio
import json
import struct
import sys

import flatbuffers
import websockets
from tessera.arena.ArenaCommand import ArenaCommand
from tessera.arena.Move import CreateMove
from tessera.wire import JoinRequest
from tessera.wire.ClientKind import ClientKind
from tessera.wire.FrameFlag import FrameFlag
from tessera.wire.Leave import CreateLeave
from tessera.wire.Ping import CreatePing
from tessera.wire.ServerFrame import ServerFrame

SUBPROTOCOL = "tessera.fb.1"
FIELD_FORMATS = ["<B", "<b", "<H", "<h", "<I", "<i", "<f"]
FORM_LOW_8, FORM_LOW_16, FORM_ENTER = 1, 2, 3
# East, south, west, north: a pillar may stand in the way of one.
DIRECTIONS = [(127, 0), (0, 127), (-127, 0), (0, -127)]
WALK_UNITS = 1.0
WAIT_SECONDS = 3.0


class Records:
    """Reads the bytes of ServerFrame.entities."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, form):
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take("<B")
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7


def nearest(known, low, bits):
    """The position nearest to the known one that has these low bits."""
    difference = (low - known) & ((1 << bits) - 1)
    if difference >= 1 << (bits - 1):
        difference -= 1 << bits
    return known + difference


def struct_bytes(create, *values):
    """A bare struct: what the builder has written is the message."""
    builder = flatbuffers.Builder(64)
    create(builder, *values)
    return bytes(builder.Bytes[builder.Head() :])


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.seq = 0
        self.tick = 0
        self.ack = 0
        self.entities = {}
        self.welcome = None
        self.rejects = []
        self.pongs = {}
        self.frames = 0
        self.changed = asyncio.Event()
        self.reader = asyncio.ensure_future(self.read())

    async def join(self, name):
        builder = flatbuffers.Builder(64)
        name_offset = builder.CreateString(name)
        JoinRequest.JoinRequestStart(builder)
        JoinRequest.JoinRequestAddName(builder, name_offset)
        builder.Finish(JoinRequest.JoinRequestEnd(builder))
        await self.socket.send(struct.pack("<HHI", ClientKind.Join, 0, 0) + bytes(builder.Output()))
        await self.until(lambda: self.welcome is not None, "a welcome")
        await self.until(lambda: self.entity_id in self.entities, "its own entity")

    async def move(self, x, y):
        self.seq += 1
        await self.socket.send(struct_bytes(CreateMove, ArenaCommand.Move, 0, self.seq, x, y, 0))
        return self.seq

    async def ping(self, client_time):
        self.seq += 1
        await self.socket.send(struct_bytes(CreatePing, ClientKind.Ping, 0, self.seq, client_time))
        return self.seq

    async def leave(self):
        self.seq += 1
        await self.socket.send(struct_bytes(CreateLeave, ClientKind.Leave, 0, self.seq))
        await asyncio.wait_for(self.socket.wait_closed(), WAIT_SECONDS)
        return self.socket.close_code

    async def until(self, is_so, what):
        async def wait():
            while not is_so():
                if self.reader.done():
                    self.reader.result()
                    raise RuntimeError(f"the connection ended before {what}: {self.socket.close_code}")
                self.changed.clear()
                await self.changed.wait()

        try:
            await asyncio.wait_for(wait(), WAIT_SECONDS)
        except asyncio.TimeoutError:
            raise RuntimeError(f"no sign of {what}") from None

    async def read(self):
        try:
            async for message in self.socket:
                self.read_frame(ServerFrame.GetRootAs(message))
                self.frames += 1
                self.changed.set()
        except websockets.ConnectionClosed:
            pass
        finally:
            self.changed.set()

    def read_frame(self, frame):
        if frame.Flags() & FrameFlag.Full:
            self.entities.clear()
        for index in range(frame.LeavesLength()):
            self.entities.pop(frame.Leaves(index), None)
        if frame.EntitiesLength() > 0:
            self.read_entities(bytes(frame.Entities(index) for index in range(frame.EntitiesLength())))
        if frame.Tick() != 0:
            self.tick, self.ack = frame.Tick(), frame.Ack()
        for index in range(frame.RejectsLength()):
            reject = frame.Rejects(index)
            self.rejects.append({"seq": reject.Seq(), "kind": reject.Kind(), "code": reject.Code()})
        if frame.Pong() is not None:
            self.pongs[frame.Pong().Seq()] = frame.Pong().ClientTime()
        if frame.Welcome() is not None:
            self.read_welcome(frame.Welcome())

    def read_welcome(self, welcome):
        if welcome.Protocol() != 1:
            raise RuntimeError(f"protocol {welcome.Protocol()}")
        self.welcome = welcome
        self.entity_id = welcome.EntityId()
        self.quantum = welcome.Quantum()
        self.kinds = [welcome.Kinds(index).decode() for index in range(welcome.KindsLength())]
        self.fields = [welcome.Fields(index) for index in range(welcome.FieldsLength())]

    def read_entities(self, data):
        records = Records(data)
        entity_id = 0
        while records.at < len(data):
            entity_id += records.varint()
            mask = records.varint()
            form = mask & 3
            if form == FORM_ENTER:
                kind, x, y = records.take("<B"), records.take("<I"), records.take("<I")
                self.entities[entity_id] = {"kind": kind, "x": x, "y": y, "raw": [0] * len(self.fields)}
            entity = self.entities[entity_id]
            if form == FORM_LOW_8:
                entity["x"] = nearest(entity["x"], records.take("<B"), 8)
                entity["y"] = nearest(entity["y"], records.take("<B"), 8)
            elif form == FORM_LOW_16:
                entity["x"] = nearest(entity["x"], records.take("<H"), 16)
                entity["y"] = nearest(entity["y"], records.take("<H"), 16)
            for index, field in enumerate(self.fields):
                if mask & (1 << (2 + index)):
                    entity["raw"][index] = records.take(FIELD_FORMATS[field.Type()])

    def place(self, entity_id):
        """World units, or None when the entity is not in view."""
        entity = self.entities.get(entity_id)
        return entity and (entity["x"] * self.quantum, entity["y"] * self.quantum)

    def values(self, entity_id):
        raw = self.entities[entity_id]["raw"]
        return {field.Name().decode(): raw[index] * field.Scale() + field.Offset() for index, field in enumerate(self.fields)}


def distance(a, b):
    return 0.0 if a is None or b is None else ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5


async def walk(walker, watcher):
    """Walks in the first direction that is free. Returns how far each of the two has seen the walker go."""
    entity_id = walker.entity_id
    for x, y in DIRECTIONS:
        start, watched_start = walker.place(entity_id), watcher.place(entity_id)
        seq = await walker.move(x, y)
        await walker.until(lambda: walker.ack >= seq, "the ack of a Move")
        try:
            await walker.until(lambda: distance(walker.place(entity_id), start) >= WALK_UNITS, "its own movement")
            await watcher.until(
                lambda: distance(watcher.place(entity_id), watched_start) >= WALK_UNITS, "the movement of the other"
            )
        except RuntimeError as error:
            blocked = error
            continue
        seq = await walker.move(0, 0)
        await walker.until(lambda: walker.ack >= seq, "the ack of the last Move")
        await watcher.until(lambda: watcher.place(entity_id) == walker.place(entity_id), "the place where the other stopped")
        return distance(walker.place(entity_id), start), distance(watcher.place(entity_id), watched_start)
    raise blocked


async def run(url):
    connect = lambda: websockets.connect(url, subprotocols=[SUBPROTOCOL], compression=None)
    async with connect() as first_socket, connect() as second_socket:
        walker, watcher = Client(first_socket), Client(second_socket)
        await walker.join("Ada")
        await watcher.join("Bob")
        await watcher.until(lambda: walker.entity_id in watcher.entities, "the other client")
        await walker.until(lambda: watcher.entity_id in walker.entities, "the other client")
        moved, seen_moving = await walk(walker, watcher)
        ping_seq = await walker.ping(123456789)
        await walker.until(lambda: ping_seq in walker.pongs, "a pong")
        if walker.pongs[ping_seq] != 123456789:
            raise RuntimeError(f"the pong brought back {walker.pongs[ping_seq]}")
        if walker.rejects or watcher.rejects:
            raise RuntimeError(f"rejected: {walker.rejects + watcher.rejects}")
        seen = {
            "subprotocol": first_socket.subprotocol,
            "game": walker.welcome.Game().decode(),
            "kind": walker.kinds[walker.entities[walker.entity_id]["kind"]],
            "values": walker.values(walker.entity_id),
            "moved": moved,
            "seenMoving": seen_moving,
            "inView": len(walker.entities),
            "frames": walker.frames,
            "tick": walker.tick,
            "ack": walker.ack,
            "pong": True,
        }
        seen["closeCode"] = await walker.leave()
        await watcher.until(lambda: walker.entity_id not in watcher.entities, "the other client leaving")
        return seen


def main():
    try:
        seen = asyncio.get_event_loop().run_until_complete(asyncio.wait_for(run(sys.argv[1]), 30))
    except Exception as error:  # whatever went wrong is the result
        print(json.dumps({"ok": False, "error": f"{type(error).__name__}: {error}"}))
        return 1
    print(json.dumps({"ok": True, **seen}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
