"""Stop signals are handled at safe points, once, and the handlers are restored afterwards."""

import signal
import threading

import pytest

from textlvm.training import interruption
from textlvm.training.interruption import SIGNALS, Interrupted, Interruption


def handlers():
    return [signal.getsignal(each) for each in SIGNALS]


def test_signal_is_deferred_until_check():
    before = handlers()
    with Interruption() as context:
        context.check()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted) as stopped:
            context.check()
    assert stopped.value.code == 143
    assert stopped.value.signal is signal.SIGTERM
    assert isinstance(stopped.value, SystemExit), "it ends the process without a traceback"
    assert handlers() == before


def test_immediate_block_is_interrupted():
    reached = []

    def measure():
        with context.immediate():
            reached.append("begun")
            signal.raise_signal(signal.SIGINT)
            reached.append("ended")

    with Interruption() as context:
        # The second time the signal has already arrived, so the block does not begin.
        for _ in range(2):
            with pytest.raises(Interrupted):
                measure()
    assert reached == ["begun"]


def test_signal_after_immediate_block_is_deferred():
    with Interruption() as context:
        with context.immediate():
            pass
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            context.check()


def test_repeated_signal_is_ignored_and_later_signal_kills(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(interruption.time, "monotonic", lambda: clock[0])
    killed = []
    with Interruption() as context:
        signal.raise_signal(signal.SIGTERM)
        clock[0] += 0.5
        signal.raise_signal(signal.SIGTERM)
        raised = signal.raise_signal

        def record(number):
            killed.append((number, signal.getsignal(number)))

        monkeypatch.setattr(interruption.signal, "raise_signal", record)
        clock[0] += 1
        raised(signal.SIGINT)
        with pytest.raises(Interrupted):
            context.check()
    assert killed == [(signal.SIGINT, signal.SIG_DFL)]


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as context:
            signal.raise_signal(signal.SIGHUP)
            context.check()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_are_restored_after_an_error():
    before = handlers()
    with pytest.raises(ZeroDivisionError), Interruption():
        raise ZeroDivisionError
    assert handlers() == before


def test_handlers_are_unchanged_in_another_thread():
    before = handlers()
    seen = []

    def enter():
        with Interruption() as context:
            context.check()
            seen.append(handlers())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [before]
