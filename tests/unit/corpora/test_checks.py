import subprocess

import pytest

from textlvm.corpora.checks import mismatch, read_record, record_path, write_record
from textlvm.corpora.registry import SourceFile

CONTENT = b"Tick, tock.\n" * 1000


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_digests_equal_those_of_coreutils(path, algorithm):
    output = subprocess.run([f"{algorithm}sum", path], capture_output=True, text=True, check=True).stdout
    source = SourceFile("a.txt", hashes={algorithm: output.split()[0]}, bytes=len(CONTENT))
    assert mismatch(path, source) is None
    path.write_bytes(CONTENT[:-1] + b"!")
    assert f"its {algorithm} is" in mismatch(path, source)
    path.write_bytes(CONTENT[:-1])
    assert mismatch(path, source) == "it has 11,999 bytes, not 12,000"


def test_git_blob_digest_equals_that_of_git(path):
    output = subprocess.run(["git", "hash-object", path], capture_output=True, text=True, check=True).stdout
    source = SourceFile("a.txt", hashes={"git_blob": output.strip()})
    assert mismatch(path, source) is None
    path.write_bytes(b"x")
    assert "its git_blob is" in mismatch(path, source)


@pytest.mark.parametrize("page", [b"\n<!DOCTYPE html>", b"<html><p>", b"\xef\xbb\xbf <!doctype HTML"])
def test_web_page_is_detected(path, page):
    path.write_bytes(page)
    for source in (
        SourceFile("a.txt"),
        SourceFile("a.txt", bytes=5),
        SourceFile("a.txt", hashes={"md5": ""}),
    ):
        assert mismatch(path, source) == "it is a web page"


def test_file_is_compared_with_its_record(path):
    assert read_record(path) is None
    write_record(path, path, "http://example.org/a.txt")
    assert record_path(path).name == "a.txt.lock.json"
    assert mismatch(path, read_record(path)) is None
    path.write_bytes(CONTENT[:-1] + b"!")
    assert "its sha256 is" in mismatch(path, read_record(path))
