"""The records of one name, and which of them can be beside each other."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from dataclasses import dataclass

from occi_extension import Fault

from .data import NO_MAIL
from .record import TYPE, VALUE, Record

# By the id of its entity, the type, the data and the TTL of each record.
Neighbours = dict[str, tuple[str, str, int]]


@dataclass(frozen=True)
class Set:
    """All records of one name and type."""

    zone: str
    owner: str
    type: str
    #: None where there is no such record.
    data: list[str]
    ttl: int


def enter(store: MutableMapping[str, bytes], id: str, record: Record) -> None:
    """Enters a record among its neighbours, and nowhere else; refuses one that cannot be beside them."""
    # An update takes it from where it was, and the host may call again for one that is entered.
    leave(store, id)
    key = _key(record)
    neighbours = _read(store, key)
    _check(record, [(type, data) for type, data, _ in neighbours.values()])
    neighbours[id] = (record.type, record.data, record.ttl)
    store[key] = json.dumps(neighbours).encode()
    store[id] = key.encode()


def leave(store: MutableMapping[str, bytes], id: str) -> None:
    """Succeeds where the record was never entered."""
    where = store.pop(id, None)
    if where is None:
        return
    key = where.decode()
    neighbours = _read(store, key)
    del neighbours[id]
    if neighbours:
        store[key] = json.dumps(neighbours).encode()
    else:
        del store[key]


def set_of(store: MutableMapping[str, bytes], record: Record) -> Set:
    """The set that a record is in, or was."""
    found = [(data, ttl) for type, data, ttl in _read(store, _key(record)).values() if type == record.type]
    # RFC 2181, 5.2: a set has one TTL, and of several the lowest holds.
    ttl = min((ttl for _, ttl in found), default=record.ttl)
    return Set(record.zone, record.owner, record.type, sorted(data for data, _ in found), ttl)


def _check(record: Record, neighbours: list[tuple[str, str]]) -> None:
    # RFC 2181, 5: no two records of a set are the same, whatever their TTL.
    if (record.type, record.data) in neighbours:
        raise Fault.conflict(f"{record.owner} has that record already", VALUE)
    # RFC 1034, 3.6.2, and RFC 2181, 10.1.
    if record.type == "CNAME" and neighbours:
        raise Fault.conflict(f"{record.owner} has other records, and an alias stands alone", TYPE)
    if any(type == "CNAME" for type, _ in neighbours):
        raise Fault.conflict(f"{record.owner} is an alias, which has no other records", TYPE)
    # RFC 7505, 3.
    servers = [data for type, data in neighbours if type == "MX"]
    if record.type == "MX" and servers and NO_MAIL in [record.data, *servers]:
        raise Fault.conflict(f"{record.owner} cannot take mail and take none", VALUE)


def _read(store: MutableMapping[str, bytes], key: str) -> Neighbours:
    kept = json.loads(store.get(key, b"{}"))
    return {id: (type, data, ttl) for id, (type, data, ttl) in kept.items()}


def _key(record: Record) -> str:
    # The zone, too: a name can be in one zone and, at its cut, in the one above. Together they have at most 507 bytes
    # of the 512 that a key may have, and no colon, as an id has.
    return f"{record.zone}/{record.owner}"
