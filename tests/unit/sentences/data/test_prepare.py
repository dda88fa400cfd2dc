import json
import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.reporting.runs import read_result
from textlvm.runtime.errors import UserError
from textlvm.sentences.data import prepared as data
from textlvm.sentences.data import questions, vocabulary
from textlvm.sentences.data.prepare import prepare

TRAIN = "the cat sat\nthe dog sat on <unk>\nThe cat\n\na _UNK bird\n"
VALID = "the bird\n"
TEST = "a dog flew away\nthe cat\n"
ENTRY = {"corpus": "letters", "format": "lines", "vocabulary": {"min_count": 2}}
LINES = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=6).map(" ".join), max_size=15)


@pytest.fixture
def sources(tmp_path):
    paths = {split: tmp_path / f"{split}.txt" for split in ("train", "valid", "test")}
    for path, text in zip(paths.values(), (TRAIN, VALID, TEST), strict=True):
        path.write_text(text)
    return paths


def drawn(train, valid):
    """Settings of splits, of which two are drawn from the training sentences of the corpus."""
    sizes = {"train": train, "valid": valid}
    return {name: {"of": "train", "draw": size} for name, size in sizes.items()} | {"test": {"of": "test"}}


def decoded(folder, split, member=None):
    known = data.read_vocabulary(folder)
    return [" ".join(known.decode(codes)) for codes in data.load(folder, split, member)]


def test_prepare_writes_sentences_vocabulary_and_statistics(sources, tmp_path):
    out = tmp_path / "data"
    result = prepare("letters", {**ENTRY, "tokens": {"unknown": ["_UNK", "<unk>"]}}, sources, out)
    assert data.read_vocabulary(out).tokens[4:] == ("the", "cat", "sat")
    expected = ["the cat sat", "the <unk> sat <unk> <unk>", "the cat", "<unk> <unk> <unk>"]
    assert decoded(out, "train") == expected
    assert decoded(out, "valid") == ["the <unk>"]
    assert decoded(out, "test") == ["<unk> <unk> <unk> <unk>", "the cat"]
    values = {name: metric["value"] for name, metric in result["metrics"].items()}
    sizes = {"train": 4, "valid": 1, "test": 2, "vocabulary": 7, "unknown_test": 4 / 6}
    assert values == sizes | {"words_mean": 13 / 4, "words_sd": np.std([3, 5, 2, 3])}
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["statistics.json", "vocabulary.tsv"]
        + [f"{split}.{kind}.npy" for split in sources for kind in ("tokens", "offsets")]
    )


def test_statistics_can_be_read_as_a_result(sources, tmp_path):
    result = prepare("ptb", {**ENTRY, "note": "small"}, sources, tmp_path / "data")
    read = read_result(tmp_path / "data" / "statistics.json")
    assert read.key == ("sentences", "ptb", "letters", "standard", "data")
    assert read.metrics["train"].value == 4
    assert read.metrics["train"].unit == "sentences"
    assert json.loads((tmp_path / "data" / "statistics.json").read_text()) == result
    assert result["dataset"] == "ptb"
    assert result["note"] == "small"


@given(LINES, LINES, st.integers(0, 5))
@settings(max_examples=40)
def test_splits_drawn_from_one_file_are_disjoint(tmp_path_factory, lines, others, seed):
    """The expected sentences are computed in plain Python."""
    folder = tmp_path_factory.mktemp("prepare")
    # Every line contains "a b", so the vocabulary of any draw has at least two words.
    lines, others = ([f"a b {line}".strip() for line in part] for part in (["", "a", "b a", *lines], others))
    (folder / "train.txt").write_text("\n".join(lines))
    (folder / "test.txt").write_text("\n".join(["a b g", *others]))
    splits = drawn(2, 1)
    entry = {"corpus": "c", "format": "lines", "splits": splits, "seed": seed}
    prepare("c", entry, {"train": folder / "train.txt", "test": folder / "test.txt"}, folder / "data")
    raw = Counter(line for line in lines if line)
    known = {word for line in decoded(folder / "data", "train") for word in line.split()}
    train = decoded(folder / "data", "train")
    assert len(train) == 2
    assert not Counter(train) - raw
    (valid,) = decoded(folder / "data", "valid")
    rest = {" ".join(w if w in known else "<unk>" for w in line.split()) for line in (raw - Counter(train))}
    assert valid in rest
    expected = [
        " ".join(w if w in known else "<unk>" for w in line.split()) for line in ["a b g", *others] if line
    ]
    assert decoded(folder / "data", "test") == expected


def test_labels_are_written(tmp_path, sources):
    for path in sources.values():
        path.write_text("".join(f"{i % 3} {line}\n" for i, line in enumerate(TRAIN.splitlines())))
    prepare("yelp15", {**ENTRY, "format": "labelled"}, sources, tmp_path / "data")
    labels = data.load_labels(tmp_path / "data", "train")
    assert labels.names == ("0", "1", "2")
    assert labels.codes.tolist() == [0, 1, 2, 1]
    assert len(data.load(tmp_path / "data", "train")) == 4


@pytest.fixture
def member_folders(sources, tmp_path):
    prepare("one", ENTRY, sources, tmp_path / "one")
    sources["train"].write_text("a dog\na dog flew\nthe\n")
    prepare("two", ENTRY, sources, tmp_path / "two")
    return {name: tmp_path / name for name in ("one", "two")}


def test_union_contains_all_sentences_of_its_members(member_folders, tmp_path):
    out = tmp_path / "both"
    result = prepare("everything", {"union": ["one", "two"]}, member_folders, out)
    for split in ("train", "valid", "test"):
        expected = {name: decoded(folder, split) for name, folder in member_folders.items()}
        assert decoded(out, split) == expected["one"] + expected["two"]
        for name, sentences in expected.items():
            assert decoded(out, split, member_folders[name]) == sentences
    assert set(data.read_vocabulary(out).tokens[4:]) == {"the", "cat", "sat", "a", "dog"}
    assert result["metrics"]["train"]["value"] == 7
    assert result["corpus"] == "everything"


@pytest.mark.parametrize("form", ["triples", "pickle"])
def test_questions_are_prepared_from_both_formats(tmp_path, form):
    asked = [f"how many is {i}" for i in range(6)]
    if form == "triples":
        sources = dict.fromkeys(("train", "test"), tmp_path / "a.txt")
        sources["train"].write_text("".join(f"{q}#It is\t{q[-1]}#1\n{q}#who#0\n" for q in asked))
        members = {}
    else:
        sources = dict.fromkeys(("train", "test"), tmp_path / "a.pkl")
        rows = {q: [[f"It is {q[-1]}", 1], ["who", 0]] for q in asked}
        sources["train"].write_bytes(pickle.dumps({"a": rows, "b": rows}))
        members = {"train": "a", "test": "b"}
    splits = drawn(4, 2)
    entry = {"corpus": "cqa", "format": form, "splits": splits, "members": members}
    result = prepare("yahoocqa", entry, sources, tmp_path / "data")
    values = {name: metric["value"] for name, metric in result["metrics"].items()}
    assert (values["train"], values["questions_train"]) == (8, 4)
    assert (values["test"], values["questions_test"]) == (12, 6)
    known = data.read_vocabulary(tmp_path / "data")
    train, valid, test = (
        questions.load(tmp_path / "data", split, known) for split in ("train", "valid", "test")
    )
    for question in (*train, *valid, *test):
        assert known.decode(question.answers[question.best])[:2] == ["it", "is"]
    assert sum(vocabulary.UNK in question.question for question in test) == len(valid) == 2
    assert not any(vocabulary.UNK in question.question for question in train)


@pytest.mark.parametrize("form", ["lines", "triples"])
def test_token_with_spaces_survives_a_round_trip(tmp_path, form):
    number = "+1 (800) 555-1234"
    text = {
        "lines": f"call {number} now\n&#55357;&#56832; or {number}\n",
        "triples": f"call {number}#or {number} now#1\ncall {number}#&#55357;&#56832;#0\n",
    }[form]
    source, out = tmp_path / "text", tmp_path / "data"
    source.write_text(text)
    entry = {"corpus": "c", "format": form, "tokens": {"method": "tweet"}}
    prepare("yahoocqa", entry, dict.fromkeys(("train", "valid", "test"), source), out)
    known = data.read_vocabulary(out)
    assert set(known.tokens[4:]) == {number, "call", "now", "or", "\U0001f600"}
    if form == "lines":
        found = [known.decode(codes) for codes in data.load(out, "test")]
        assert found == [["call", number, "now"], ["\U0001f600", "or", number]]
    else:
        (question,) = questions.load(out, "test", known)
        assert known.decode(question.question) == ["call", number]
        assert {*map(tuple, map(known.decode, question.answers))} == {("or", number, "now"), ("\U0001f600",)}


@pytest.mark.parametrize("damage", [lambda p: p.write_text("\n"), lambda p: p.unlink()])
def test_failed_preparation_keeps_existing_files(sources, tmp_path, damage):
    out = tmp_path / "data"
    prepare("letters", ENTRY, sources, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    damage(sources["test"])
    with pytest.raises(UserError):
        prepare("letters", ENTRY, sources, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_missing_source_is_rejected(sources, tmp_path):
    del sources["valid"]
    with pytest.raises(UserError, match="data set 'letters': source 'valid' is missing; valid: 'test', "):
        prepare("letters", ENTRY, sources, tmp_path / "data")


@pytest.mark.parametrize(
    ("train", "test", "distinct", "message"),
    [
        ("tick\ntick tick\n", "tick\n", 1, "its vocabulary has only the word 'tick'"),
        ("a b\nb a\n", "c d\nc\n", 1, "its vocabulary, that of the training sentences, has no word of"),
        ("a b\nb a\n", "a b\na b\nb\n", 3, "2 test sentences are distinct in words of"),
        # Words outside the vocabulary are equal.
        ("a b\nb a\n", "a b\na c\na d\n", 3, "2 test sentences are distinct in words of"),
    ],
)
def test_data_set_that_cannot_be_evaluated_is_rejected(tmp_path, train, test, distinct, message):
    sources = {split: tmp_path / f"{split}.txt" for split in ("train", "valid", "test")}
    for path, text in zip(sources.values(), (train, train, test), strict=True):
        path.write_text(text)
    entry = {"corpus": "letters", "format": "lines"}
    with pytest.raises(UserError) as error:
        prepare("mine", entry, sources, tmp_path / "data", distinct)
    assert str(error.value).startswith(f"data set 'mine': {message}")
    assert list((tmp_path / "data").iterdir()) == []
    if distinct > 1:
        prepare("mine", entry, sources, tmp_path / "data", distinct - 1)


def test_union_and_questions_are_checked_as_well(member_folders, tmp_path):
    with pytest.raises(UserError, match=r"data set 'all': 4 test sentences are distinct"):
        prepare("all", {"union": ["one", "two"]}, member_folders, tmp_path / "all", 5)
    sources = dict.fromkeys(("train", "valid", "test"), tmp_path / "a.txt")
    sources["train"].write_text("tick#tick#1\ntick#tick tick#0\n")
    with pytest.raises(UserError, match="its vocabulary has only the word 'tick'"):
        prepare("asked", {"corpus": "c", "format": "triples"}, sources, tmp_path / "asked")
