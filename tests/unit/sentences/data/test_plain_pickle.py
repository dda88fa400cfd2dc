import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.sentences.data.plain_pickle import NotPlain, load

KEYS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
PLAIN = st.recursive(
    KEYS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=12,
)
# In earlier protocols, Python pickles bytes as a function call.
PROTOCOLS = st.integers(3, pickle.HIGHEST_PROTOCOL)


@given(PLAIN, PROTOCOLS)
def test_plain_values_survive_a_round_trip(value, protocol):
    assert load(pickle.dumps(value, protocol)) == value


@given(st.lists(st.text() | st.integers()), st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_every_protocol_is_read(values, protocol):
    content = [values, values, {"a": tuple(values)}]
    assert load(pickle.dumps(content, protocol)) == content


@pytest.mark.parametrize("value", [{1}, frozenset([1]), 1j, bytearray(b"a"), range(3), print, {(1, 2): 3}])
def test_other_types_are_rejected(value):
    with pytest.raises(NotPlain, match=r"it asks for|it has"):
        load(pickle.dumps(value))
