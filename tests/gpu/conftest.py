import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def gpu():
    """The GPU; without one, all tests of this folder are skipped."""
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    return torch.device("cuda")
