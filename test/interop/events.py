"""Reads topics of events with kcat and decodes them with Debian's MessagePack library, which shares nothing with ours.

    python3 events.py BROKER SINCE_MS TOPIC...

Prints one line of JSON per record: topic, partition, offset, key, timestamp, and the event as it was decoded. What is
no single MessagePack value, is a map with other keys than text, or has a fraction where an integer belongs, ends it with
an error.
"""

import json
import subprocess
import sys

import msgpack

# Numbers up to a space each, then key and value in as many bytes as were announced: both may hold any byte.
INTEGERS = ["zoneId", "tick", "occurredAt", "version"]
FORMAT = "%p %o %T %K %S %k%s"


def records(broker, since_ms, topic):
    command = ["kcat", "-C", "-q", "-e", "-b", broker, "-t", topic, "-o", f"s@{since_ms}", "-f", FORMAT]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    at = 0
    while at < len(output):
        numbers = []
        for _ in range(5):
            space = output.index(b" ", at)
            numbers.append(int(output[at:space]))
            at = space + 1
        partition, offset, timestamp, key_bytes, value_bytes = numbers
        key = output[at : at + key_bytes].decode()
        value = output[at + key_bytes : at + key_bytes + value_bytes]
        at += key_bytes + value_bytes
        event = msgpack.unpackb(value, raw=False, strict_map_key=True)
        for name in INTEGERS:
            if type(event.get(name, 0)) is not int:
                raise TypeError(f"{name} is {event[name]!r} in {event['eventId']}")
        yield {
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "timestamp": timestamp,
            "key": key,
            "event": event,
        }


def main():
    broker, since_ms, *topics = sys.argv[1:]
    for topic in topics:
        for record in records(broker, since_ms, topic):
            print(json.dumps(record))


main()
