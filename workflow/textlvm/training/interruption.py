"""Signals that ask a training to stop: it does so after the step it is in, with everything saved."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Interrupted", "Interruption"]

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""From a scheduler that wants the machine back or whose time limit is over; Ctrl-C; a closed terminal."""
SAME = 1.0
"""Seconds in which a repeated signal is the same request: Slurm's reaches a process both directly and through
srun."""


class Interrupted(SystemExit):
    """A signal has asked the process to end; it does, with 128 and the signal's number as exit status."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)


class Interruption:
    """While entered, remembers the first signal that asks to stop; a second one kills the process.

    Signals that are ignored, as those of a terminal under nohup, stay so. Entering does nothing outside the
    main thread, which alone gets signals.
    """

    def __init__(self) -> None:
        self._received: int | None = None
        self._at = 0.0
        self._immediate = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            handled = [each for each in SIGNALS if signal.getsignal(each) not in (signal.SIG_IGN, None)]
            self._before = {each: signal.signal(each, self._receive) for each in handled}
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def check(self) -> None:
        """Raise `Interrupted` if a signal has asked to stop."""
        if self._received is not None:
            raise Interrupted(self._received)

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """A block that a signal may cut short at any point, by raising `Interrupted` in it."""
        self._immediate = True
        try:
            self.check()
            yield
        finally:
            self._immediate = False

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._received is None:
            self._received, self._at = number, now
        elif now - self._at > SAME:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        if self._immediate:
            self.check()
