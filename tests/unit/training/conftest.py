"""A fixture for tests of whole trainings."""

import pytest


@pytest.fixture(scope="module")
def unsynced():
    """Disables `os.fsync`, which takes longer than these trainings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield
