import pytest

from textlvm.corpora.registry import Corpus, SourceFile
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.dataset import (
    DatasetSettings,
    SplitRule,
    Tokenization,
    UnionSettings,
    VocabularyRule,
    parse,
    settings_of,
    sources_of,
)

ENTRY = {"corpus": "letters", "format": "lines"}
VALID_ALONE = {
    "train": {"of": "valid", "draw": 9},
    "valid": {"of": "valid", "draw": 1},
    "test": {"of": "test"},
}


def corpus(**splits):
    files = tuple(SourceFile(name, splits={split: place}) for split, (name, place) in splits.items())
    return {"letters": Corpus("letters", "Letters", "sentences", files, format="labelled")}


def test_defaults_of_settings():
    settings = parse(ENTRY)
    assert settings == DatasetSettings("letters", "lines")
    assert settings.tokens == Tokenization("whitespace", True, ("<unk>",))
    assert settings.vocabulary == VocabularyRule(1, None)
    assert settings.splits == {name: SplitRule(name) for name in ("train", "valid", "test")}
    assert settings.origins == ("train", "valid", "test")


def test_all_settings_are_parsed():
    settings = parse(
        {
            **ENTRY,
            "tokens": {"method": "tweet", "unknown": ["_UNK"], "lower": False},
            "vocabulary": {"min_count": 2, "size": 20000},
            "splits": VALID_ALONE,
            "seed": 3,
            "note": "small",
        }
    )
    assert settings.tokens == Tokenization("tweet", False, ("_UNK",))
    assert settings.vocabulary == VocabularyRule(2, 20000)
    assert settings.splits["train"] == SplitRule("valid", 9)
    assert settings.origins == ("valid", "test")
    assert parse({"union": ["a", "b"], "note": "n"}) == UnionSettings(("a", "b"), "n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpora": "x"}, "unknown setting 'corpora'; did you mean 'corpus'"),
        ({"tokens": {"method": "twit"}}, "unknown method 'twit'; did you mean 'tweet'"),
        ({"tokens": "tweet"}, "tokens: expected a mapping of settings, found 'tweet'"),
        ({"vocabulary": {"min_count": 0}}, "min_count must be at least 1"),
        ({"vocabulary": {"size": 5}}, "size must be more than 5"),
        ({"vocabulary": {"size": "all"}}, "vocabulary: a value is of the wrong type"),
        ({"splits": {"train": {"of": "train"}}}, "set a source for each of train, valid, test"),
        ({"splits": {**VALID_ALONE, "test": {"of": "tests"}}}, "no split 'tests'; did you mean 'test'"),
        ({"splits": {**VALID_ALONE, "test": {"draw": 3}}}, "splits: test: the setting 'of' is missing"),
        ({"splits": {**VALID_ALONE, "test": {"of": "test", "draw": 0}}}, "draw must be at least 1"),
        ({"splits": {**VALID_ALONE, "valid": {"of": "valid"}}}, "2 of them come from the corpus's valid"),
    ],
)
def test_error_message_for_invalid_settings_is_one_line(change, message):
    with pytest.raises(UserError) as caught:
        parse({**ENTRY, **change})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("members", [["ptb"], ["ptb", "ptb"]])
def test_union_requires_two_different_data_sets(members):
    with pytest.raises(UserError, match="two or more different data sets"):
        parse({"union": members})


def test_registry_adds_format_and_members():
    corpora = corpus(train=("all.zip", "*/train.txt"), test=("test.txt", "*"))
    settings = settings_of({"corpus": "letters", "note": "n"}, corpora)
    assert settings == {
        "corpus": "letters",
        "note": "n",
        "format": "labelled",
        "members": {"train": "*/train.txt", "test": "*"},
    }
    assert settings_of({"union": ["a", "b"]}, corpora) == {"union": ["a", "b"]}


def test_sources_are_only_the_files_in_use():
    corpora = corpus(train=("a", "*"), valid=("b", "*"), test=("c", "*"))
    entry = {"corpus": "letters", "splits": VALID_ALONE}
    assert {split: file.name for split, file in sources_of(entry, corpora).items()} == {
        "valid": "b",
        "test": "c",
    }
    assert sources_of({"union": ["a", "b"]}, corpora) == {}


def test_missing_split_of_the_corpus_is_rejected():
    with pytest.raises(UserError, match="corpus 'letters' has no split 'train', only 'valid', 'test': say"):
        sources_of({"corpus": "letters"}, corpus(valid=("b", "*"), test=("c", "*")))
