"""Signals that stop a training after the current step; its state is saved."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Interrupted", "Interruption"]

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Sent by a scheduler at preemption or at the time limit, by Ctrl-C, or by a closed terminal."""
SAME = 1.0
"""Seconds in which a repeated signal counts as the same request: a process gets Slurm's signal both directly
and from srun."""


class Interrupted(SystemExit):
    """A signal ends the process; the exit status is 128 plus the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)


class Interruption:
    """A context that records the first stop signal; a second one kills the process.

    Ignored signals, such as those of a terminal under nohup, stay ignored. The context has no effect outside
    the main thread, because only the main thread receives signals.
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
        """Raise `Interrupted` if a stop signal has arrived."""
        if self._received is not None:
            raise Interrupted(self._received)

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """A context in which a signal raises `Interrupted` immediately."""
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
