"""What tests of whole trainings share."""

import pytest


@pytest.fixture(scope="module")
def unsynced():
    """No power fails here, and waiting for the disk takes longer than these trainings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield
