"""Signals that ask to stop: noticed where it is safe, once, and the process's own again afterwards."""

import signal
import threading

import pytest

from textlvm.training import interruption
from textlvm.training.interruption import SIGNALS, Interrupted, Interruption


def handlers():
    return [signal.getsignal(each) for each in SIGNALS]


def test_a_signal_waits_for_the_check():
    before = handlers()
    with Interruption() as asked:
        asked.check()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted) as stopped:
            asked.check()
    assert stopped.value.code == 143
    assert stopped.value.signal is signal.SIGTERM
    assert isinstance(stopped.value, SystemExit), "it ends the process and is no error"
    assert handlers() == before


def test_a_block_is_cut_short():
    reached = []

    def measure():
        with asked.immediate():
            reached.append("begun")
            signal.raise_signal(signal.SIGINT)
            reached.append("ended")

    with Interruption() as asked:
        # The second time the signal has come before, and the block is not even begun.
        for _ in range(2):
            with pytest.raises(Interrupted):
                measure()
    assert reached == ["begun"]


def test_after_a_block_signals_wait_again():
    with Interruption() as asked:
        with asked.immediate():
            pass
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            asked.check()


def test_the_same_signal_twice_at_once_is_one_and_later_a_second_kills(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(interruption.time, "monotonic", lambda: clock[0])
    killed = []
    with Interruption() as asked:
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
            asked.check()
    assert killed == [(signal.SIGINT, signal.SIG_DFL)]


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as asked:
            signal.raise_signal(signal.SIGHUP)
            asked.check()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_are_put_back_after_an_error():
    before = handlers()
    with pytest.raises(ZeroDivisionError), Interruption():
        raise ZeroDivisionError
    assert handlers() == before


def test_another_thread_has_no_signals():
    before = handlers()
    seen = []

    def enter():
        with Interruption() as asked:
            asked.check()
            seen.append(handlers())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [before]
