import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def gpu():
    """The GPU that these tests are about; without one none of them runs."""
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    return torch.device("cuda")
