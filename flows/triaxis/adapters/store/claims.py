"""Claims over `Blobs`, with nothing but create-if-absent: each is a sequence of leases, of which the newest counts.

    claims/merge/000001.json    {"owner": ..., "until_ns": ...}    ran out
    claims/merge/000002.json    another worker's, renewed by
    claims/merge/000003.json    this one

Taking over a lease that ran out, renewing one and giving one up are all the creation of the next number, which one
worker alone can do. The newest is never deleted, so that no number counts twice.
"""

from __future__ import annotations

import json
import os
import platform
import re
import secrets
from dataclasses import dataclass
from typing import Final

from triaxis.adapters.store.blobs import Blobs
from triaxis.errors import NotShareable, StoreDamaged
from triaxis.ports.clock import Clock

MARGIN_S: Final = 5.0
"""A holder stops this long before its lease ends, and others wait this long after: any two clocks may be twice that
apart."""
_TRIES = 10
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_LEASE = re.compile(r"[0-9]{6,15}\.json")


@dataclass(frozen=True, slots=True)
class _Lease:
    number: int
    until_ns: int

    def ran_out(self, now_ns: int) -> bool:
        """Whether nobody can hold it any more, whosever clock is right."""
        return now_ns > self.until_ns + int(MARGIN_S * 1e9)


class BlobClaims:
    """`ports.stores.Claims` for one process."""

    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._blobs, self._clock = blobs, clock

    def claim(self, name: str, lease_s: float) -> BlobClaim | None:
        """Claims something for a lease, which has to be longer than twice the margin.

        Raises:
            NotShareable: where the store cannot create a name only once.
            ValueError: where the name or the lease is none.
        """
        if not _NAME.fullmatch(name) or lease_s <= 2 * MARGIN_S:
            raise ValueError(f"no claim to {name!r} for {lease_s} s can be made")
        if self._blobs.lone is not None:
            raise NotShareable(self._blobs.lone)
        leases = _Leases(self._blobs, f"claims/{name}", f"{platform.node()} {os.getpid()} {secrets.token_hex(8)}")
        claim = BlobClaim(leases, self._clock, lease_s)
        return claim if claim.take() else None

    def forget(self, name: str) -> None:
        """Deletes every lease of a name that is not used again: else the newest stays for good."""
        for lease in self._blobs.names(f"claims/{name}/"):
            self._blobs.remove(lease)


class BlobClaim:
    """`ports.stores.Claim`: the newest lease of a name, while it is this one's."""

    def __init__(self, leases: _Leases, clock: Clock, lease_s: float) -> None:
        self._leases, self._clock, self._lease_s = leases, clock, lease_s
        self._number: int | None = None
        self._until_ns, self._until_s = 0, 0.0

    @property
    def held(self) -> bool:
        """By the wall clock, which others compare with, and by one that nobody can set back."""
        wall_s = (self._until_ns - self._clock.now_ns()) / 1e9
        return self._number is not None and min(wall_s, self._until_s - self._clock.monotonic()) > MARGIN_S

    def take(self) -> bool:
        """Takes the claim where nobody has it."""
        newest = self._leases.newest()
        free = newest is None or newest.ran_out(self._clock.now_ns())
        return free and self._lease(1 if newest is None else newest.number + 1)

    def renew(self) -> bool:
        """Extends it to a whole lease from now; False where it is another's by now."""
        return self._number is not None and self._lease(self._number + 1)

    def release(self) -> None:
        """Leaves a lease that has run out already."""
        if self._number is not None:
            self._leases.create(self._number + 1, until_ns=0)
            self._number = None

    def _lease(self, number: int) -> bool:
        # Both clocks are read before anything is sent: however slow the store is, the lease is no longer than thought.
        until_s = self._clock.monotonic() + self._lease_s
        until_ns = self._clock.now_ns() + int(self._lease_s * 1e9)
        if not self._leases.create(number, until_ns=until_ns):
            self._number = None
            return False
        self._number, self._until_ns, self._until_s = number, until_ns, until_s
        self._leases.clear_below(number)
        return True


class _Leases:
    """The leases of one name, as one owner sees them."""

    def __init__(self, blobs: Blobs, folder: str, owner: str) -> None:
        self._blobs, self._folder, self._owner = blobs, folder, owner

    def newest(self) -> _Lease | None:
        """The lease that counts."""
        for _ in range(_TRIES):
            numbers = self._numbers()
            if not numbers:
                return None
            try:
                return self._read(numbers[-1])
            except FileNotFoundError:
                continue  # whoever made a newer one has cleared it away
        raise StoreDamaged(f"{self._folder} of the row store changes while it is read; try again")

    def create(self, number: int, *, until_ns: int) -> bool:
        """Makes the lease of that number; whether it counts."""
        content = json.dumps({"owner": self._owner, "until_ns": until_ns}).encode()
        if not self._blobs.create(self._name(number), content):
            return False
        # A number that was free may be an old one that somebody cleared away, if we stood still since we looked.
        if self._numbers()[-1:] == [number]:
            return True
        self._blobs.remove(self._name(number))
        return False

    def clear_below(self, number: int) -> None:
        """Deletes older leases than ours, which counts."""
        for old in self._numbers():
            if old < number:
                self._blobs.remove(self._name(old))

    def _numbers(self) -> list[int]:
        names = (name.rpartition("/")[2] for name in self._blobs.names(f"{self._folder}/"))
        return sorted(int(name.removesuffix(".json")) for name in names if _LEASE.fullmatch(name))

    def _read(self, number: int) -> _Lease:
        name = self._name(number)
        try:
            return _Lease(number, int(json.loads(self._blobs.read(name))["until_ns"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StoreDamaged(f"{name} of the row store is no lease; delete it, and the claim is free") from error

    def _name(self, number: int) -> str:
        return f"{self._folder}/{number:06}.json"
