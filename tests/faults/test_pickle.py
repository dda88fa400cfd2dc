"""Hostile and damaged pickles are read as plain values, or refused with one error message."""

import pickle
import tracemalloc

import pytest

from faults.packed import MIB, message_of
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.prepare import prepare
from textlvm.sentences.data.questions import read_pickle


class TestPickle:
    """Pickles can contain only dicts, lists, tuples, texts, bytes and numbers."""

    @staticmethod
    def refused(path, content: bytes) -> str:
        path.write_bytes(content)
        with pytest.raises(UserError) as error:
            list(read_pickle(path, "test"))
        text = message_of(error)
        assert len(text) < 600
        return text

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"cos\nsystem\n(S'touch harm'\ntR.", "it asks for os.system"),
            (b'cbuiltins\neval\n(S\'open("harm", "w")\'\ntR.', "it asks for builtins.eval"),
            (b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0atouch harm\x85R.", "it asks for posix.system"),
            (b"(S'touch harm'\nios\nsystem\n.", "it asks for os.system"),
            (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n.", "asks for numpy.core.multiarray._reconstr"),
            (b"\x80\x02ccollections\nOrderedDict\n)R.", "it asks for collections.OrderedDict"),
            (b"P1\n.", "it has the instruction PERSID"),
            (b"\x80\x02K\x01Q.", "it has the instruction BINPERSID"),
            (b"\x80\x02\x82\x01.", "it has the instruction EXT1"),
            (b"\x80\x02}}b.", "it has the instruction BUILD"),
            (b"\x80\x02]]R.", "it has the instruction REDUCE"),
            (b"\x80\x02])\x81.", "it has the instruction NEWOBJ"),
            (b"\x80\x04\x8f.", "it has the instruction EMPTY_SET"),
            (b"\x80\x05\x97.", "it has the instruction NEXT_BUFFER"),
            (b"\xfe", "it has the instruction 254"),
        ],
    )
    def test_no_function_is_called(self, path, content, reason, monkeypatch):
        monkeypatch.chdir(path.parent)
        assert reason in self.refused(path, content)
        assert [child.name for child in path.parent.iterdir()] == ["source"]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b".", "BYTEARRAY8"),
            (b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b".", "EOFError"),
            (b"\x80\x04\x8d" + (1 << 63).to_bytes(8, "little") + b".", "exceeds system's maximum size"),
            (b"\x80\x02T\xff\xff\xff\x7f.", "EOFError"),
            (b"\x80\x02T\xff\xff\xff\xff.", "negative byte count"),
            (b"\x80\x02\x8b\xff\xff\xff\x7f.", "EOFError"),
            (b"L" + b"9" * 5000 + b"L\n.", "limit"),
            (b"\x80\x02" + b"(" * 1000 + b".", "it nests more than 100 containers"),
            (b"\x80\x02}" + b")" + b"\x85" * 200_000 + b"Ns.", "it has a key that is a container"),
            (b"\x80\x02}(" + b")" + b"\x85" * 200_000 + b"Nu.", "it has a key that is a container"),
            (b"\x80\x02(" + b")" + b"\x85" * 200_000 + b"Nd.", "it has a key that is a container"),
        ],
    )
    def test_announced_sizes_allocate_no_memory(self, path, content, reason):
        tracemalloc.start()
        text = self.refused(path, content)
        assert reason in text
        assert tracemalloc.get_traced_memory()[1] < 100 * MIB
        tracemalloc.stop()

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x80", b"no pickle", b"\x80\x02}", b"\x80\x02K\x01K\x02s.", b"\x80\x05\x95" + b"\xff" * 8],
    )
    def test_invalid_pickle_gives_one_error_message(self, path, content):
        assert "not a pickle of plain containers and texts" in self.refused(path, content)

    def test_large_memo_index_allocates_no_memory(self, path):
        """Python's C unpickler would allocate a memo up to the largest index."""
        path.write_bytes(b"\x80\x02}r\xff\xff\xff\xff" + pickle.dumps({"test": {"q": [["a", 1]]}}, 2)[2:])
        tracemalloc.start()
        assert len(list(read_pickle(path, "test"))) == 1
        assert tracemalloc.get_traced_memory()[1] < 10 * MIB
        tracemalloc.stop()

    @pytest.mark.parametrize("byte", [b"]", b"}", b"N\x85", b"\x94", b"N\x94"])
    def test_number_of_built_objects_is_limited(self, path, byte, monkeypatch):
        monkeypatch.setattr("textlvm.sentences.data.plain_pickle.MOST_BUILT", 10_000)
        assert "it builds more than 10,000 things" in self.refused(path, b"\x80\x04N" + byte * 20_000 + b".")

    def test_file_size_is_limited(self, path, monkeypatch):
        monkeypatch.setattr("textlvm.sentences.data.plain_pickle.LARGEST", 10_000)
        assert "has more than 10,000 bytes" in self.refused(path, b"x" * 10_001)

    def test_deeply_nested_list_is_rejected(self, path):
        deep = b"]" * 200_000 + b"a" * 199_999
        assert "found a list in it" in self.refused(path, b"\x80\x02" + deep + b".")
        inside = b"\x80\x02}U\x04test}U\x01q" + deep + b"ss."
        assert "found 1 items" in self.refused(path, inside)

    def test_recursive_list_is_rejected(self, path):
        assert "found a list in it" in self.refused(path, b"\x80\x02]q\x00h\x00a.")
        inside = b"\x80\x02}U\x04test}U\x01q]q\x00(h\x00K\x01ess."
        assert "found a list in it" in self.refused(path, inside)

    def test_list_that_is_shared_too_often_is_rejected(self, path):
        """A thousand questions that share a list of a thousand answers, of ten thousand letters."""
        answers = [["a" * 10_000, 0]] * 1000
        content = pickle.dumps({"test": {str(i): answers for i in range(1000)}})
        assert len(content) < 100_000
        assert "repeats the same entry too often" in self.refused(path, content)

    def test_lone_surrogates_are_replaced(self, path, tmp_path):
        answers = [["\ud800 yes", 1], ["no\udfff", 0]]
        path.write_bytes(pickle.dumps({s: {"q \ud800": answers} for s in ("train", "valid", "test")}))
        entry = {"corpus": "c", "format": "pickle", "members": {s: s for s in ("train", "valid", "test")}}
        prepare("yahoocqa", entry, dict.fromkeys(("train", "valid", "test"), path), tmp_path / "data")
        assert r"q\t?" in (tmp_path / "data" / "questions.json").read_text(encoding="utf-8")
