"""How many requests a minute a key may make. Each server process counts its own."""

import time
from collections import deque
from threading import Lock

from portal.models import ApiKey

WINDOW = 60
"""Seconds."""


class RateLimit:
    """Counts by the second, so that a key costs at most sixty small numbers, however fast it is.

    Only keys that exist are counted, and those that rest for a minute are forgotten.
    """

    def __init__(self) -> None:
        self._counts: dict[int, deque[list[int]]] = {}
        self._lock = Lock()
        self._swept = 0

    def wait(self, key: ApiKey, now: int | None = None) -> int:
        """Counts a request and returns 0, or how many seconds the key has to wait for it."""
        now = int(time.monotonic()) if now is None else now
        with self._lock:
            self._sweep(now)
            counts = self._counts.setdefault(key.pk, deque())
            while counts and counts[0][0] <= now - WINDOW:
                counts.popleft()
            if sum(number for _, number in counts) >= key.requests_a_minute:
                return counts[0][0] + WINDOW - now
            if counts and counts[-1][0] == now:
                counts[-1][1] += 1
            else:
                counts.append([now, 1])
            return 0

    def _sweep(self, now: int) -> None:
        if now - self._swept >= WINDOW:
            self._swept = now
            resting = [pk for pk, seen in self._counts.items() if seen[-1][0] <= now - WINDOW]
            for pk in resting:
                del self._counts[pk]

    def __len__(self) -> int:
        """How many keys are being counted."""
        return len(self._counts)


rate_limit = RateLimit()
"""Of this process."""
