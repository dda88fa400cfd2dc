"""Words that several tests share."""

import re
from collections import Counter
from pydoc_data.topics import topics

import pytest


@pytest.fixture(scope="session")
def documentation_words():
    """Some 3,000 real words of 2 to 12 letters that come with Python, and their counts."""
    counts = Counter(re.findall(r"\b[a-z]{2,12}\b", " ".join(topics.values()).lower()))
    return sorted(counts), [counts[word] for word in sorted(counts)]
