"""Words shared by several tests."""

import re
from collections import Counter
from pydoc_data.topics import topics

import pytest


@pytest.fixture(scope="session")
def documentation_words():
    """About 3,000 words of 2 to 12 letters from the documentation in Python, and their counts."""
    counts = Counter(re.findall(r"\b[a-z]{2,12}\b", " ".join(topics.values()).lower()))
    return sorted(counts), [counts[word] for word in sorted(counts)]
