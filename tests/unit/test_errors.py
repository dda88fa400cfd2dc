import pytest

from textlvm.errors import UserError, nearest


def test_close_names_are_suggested_best_first():
    assert nearest("tril-k6", ["tril", "tril-k5", "oracle"]) == "did you mean 'tril-k5', 'tril'?"


def test_without_a_close_name_all_valid_ones_are_listed_in_order():
    assert nearest("zzz", ["beta", "alpha"]) == "valid: 'alpha', 'beta'"


def test_a_long_list_is_cut_and_says_so():
    sentence = nearest("zzz", [f"name{i:02d}" for i in range(20)])
    assert sentence.endswith("'name11', …")
    assert "name12" not in sentence


def test_no_more_than_count_names_are_suggested():
    assert nearest("aaaa", ["aaab", "aaac", "aaad", "aaae"], count=2).count("'") == 4


def test_a_user_error_is_its_sentence():
    with pytest.raises(UserError, match=r"^config\.yaml: no$"):
        raise UserError("config.yaml: no")
