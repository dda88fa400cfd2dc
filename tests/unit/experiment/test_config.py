import dataclasses

import pytest
import yaml

from textlvm.corpora import registry
from textlvm.experiment import config
from textlvm.experiment.config import check, merged, origin
from textlvm.runtime.errors import UserError
from textlvm.runtime.validation import json_schema
from textlvm.sentences import spec as sentences_spec
from textlvm.sentences.data import dataset
from textlvm.sentences.evaluation import spec as evaluation_spec
from textlvm.sentences.marginal import spec as marginal_spec
from textlvm.words import spec as words_spec
from unit.overlay import PAPER, PAPERS, REGISTRY, ROOT, cases, error_message

SCHEMA = config.schema(PAPERS.values())


def test_shipped_experiments_are_valid():
    shipped = [*ROOT.glob("workflow/profiles/*/experiment.yaml"), *ROOT.glob("results/recorded/*/*.yaml")]
    assert len(shipped) > 2
    for files in ([PAPER], *([PAPER, file] for file in shipped)):
        check(merged(files), files, REGISTRY, PAPERS)


@pytest.mark.parametrize(
    ("paper", "section", "spec"),
    [
        ("words", "model", words_spec.ModelSpec),
        ("words", "training", words_spec.TrainingSpec),
        ("words", "evaluation", words_spec.EvaluationSpec),
        ("sentences", "model", sentences_spec.ModelSpec),
        ("sentences", "training", sentences_spec.TrainingSpec),
        ("sentences", "evaluation", evaluation_spec.EvaluationSpec),
        ("sentences", "likelihood", marginal_spec.MarginalSpec),
        ("sentences", "qualitative", evaluation_spec.QualitativeSpec),
    ],
)
def test_schema_has_exactly_the_fields_of_the_specs(paper, section, spec):
    fields = [field.name for field in dataclasses.fields(spec)]
    assert list(SCHEMA["$defs"][f"{paper}_{section}"]["properties"]) == fields
    required = [field.name for field in dataclasses.fields(spec) if field.default is dataclasses.MISSING]
    assert SCHEMA["properties"][paper]["properties"][section]["required"] == required


def test_schema_has_exactly_the_fields_of_a_data_set():
    properties = SCHEMA["$defs"]["sentences_dataset"]["properties"]
    fields = {
        f.name for kind in (dataset.DatasetSettings, dataset.UnionSettings) for f in dataclasses.fields(kind)
    }
    # The registry defines the format and the splits of a corpus.
    fields -= {"format", "members"}
    assert set(properties) == fields | {"row", "model", "training", "evaluation", "qualitative"}
    for name, kind in (("tokens", dataset.Tokenization), ("vocabulary", dataset.VocabularyRule)):
        assert list(properties[name]["properties"]) == [f.name for f in dataclasses.fields(kind)]
    rule = SCHEMA["$defs"]["sentences_split"]["properties"]
    assert list(rule) == [f.name for f in dataclasses.fields(dataset.SplitRule)]


def test_schema_of_added_corpora_has_the_keys_of_the_registry():
    corpus = SCHEMA["properties"]["corpora"]["additionalProperties"]["properties"]
    registered = json_schema("corpora")["$defs"]["corpus"]["properties"]
    assert set(corpus) == set(registry.OVERRIDES)
    assert corpus["format"] == registered["format"]
    assert set(corpus["kind"]["enum"]) == set(registered["kind"]["enum"]) - {"documentation"}


def test_every_mapping_of_the_schema_rejects_unknown_keys():
    def mappings(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for child in node.values():
                yield from mappings(child)

    for mapping in mappings(SCHEMA):
        assert mapping["additionalProperties"] is False or "propertyNames" in mapping


MESSAGES = r"""
words: {modle: {}}
    unknown key 'modle' in words; did you mean 'model'?
words: {model: {sample: 2}}
    unknown key 'sample' in words.model; did you mean 'samples', 'resampling'?
words: {runs: {standard: {tril: {training: {step: 9}}}}}
    unknown key 'step' in words.runs.standard.tril.training; did you mean 'steps'?
words: {runs: {standard: {mine: {table: 1, raw: X}}}}
    unknown key 'raw' in words.runs.standard.mine; did you mean 'row'?
words: {training: {learning_rate: 1e-3}}
    words.training.learning_rate must be a number, not "1e-3": write 0.001
words: {model: {transition: trill}}
    words.model.transition cannot be "trill"; did you mean 'tril'?
words: {runs: {standard: {tril: {table: 3}}}}
    words.runs.standard.tril.table cannot be 3; valid: '1', '2'
words: {runs: {standard: {trill: }}}
    words.runs.standard.trill must be an entry; null removes an entry of an earlier file, but there is none;
    did you mean 'tril', '2xtril', 'tril-k5'?
words: {runs: {standard: {My Run: {table: 1, row: X}}}}
    the name 'My Run' in words.runs.standard must consist of lower-case letters, digits and hyphens
words: {runs: {standard: {8: {table: 1, row: X}}}}
    words.runs.standard has the key 8, which is not text: put it in quotes
words: {runs: {standard: {tril: {row: --out}}}}
    words.runs.standard.tril.row must be text that does not begin with a hyphen, not "--out"
words: {runs: {standard: {tril: {row: "a\nb"}}}}
    words.runs.standard.tril.row contains '\n': write it on one line, in plain text
sentences: {collected: {table6: {rows: {"a\tb": {runs: {}}}}}}
    sentences.collected.table6.rows has the key 'a\tb': write it on one line, in plain text
words: {training: {learning_rate: .inf}}
    words.training.learning_rate must be a number between -2^63 and 2^63, not Infinity
words: {training: {clip: .nan}}
    words.training.clip must be a number between -2^63 and 2^63, not NaN
"""
AMBIGUOUS_FOLDERS = ("a/{b}", ".", "./a", "a/./b", "a/.", "..", "../a", "a/../b", "a/..", "a//b", "-a", "a/")


@pytest.mark.parametrize(("overlay", "expected"), cases(MESSAGES))
def test_error_message_for_an_invalid_configuration(tmp_path, overlay, expected):
    assert error_message(tmp_path, overlay) == f"mine.yaml: {expected}"


@pytest.mark.parametrize("folder", AMBIGUOUS_FOLDERS)
def test_ambiguous_folder_name_is_rejected(tmp_path, folder):
    assert error_message(tmp_path, f"pathvars: {{results: '{folder}'}}") == (
        "mine.yaml: pathvars.results must be a folder, without a hyphen at its beginning, a slash at its "
        f'end, "//", the parts "." and ".." or any of {{}}<>, not "{folder}"'
    )


@pytest.mark.parametrize("folder", ["a", "a/b.c", ".a", "a/..b", "a/b..", "...", "/a/b", "a b"])
def test_other_folder_names_are_accepted(folder):
    paper = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    paper["pathvars"]["results"] = folder
    check(paper, [PAPER], REGISTRY, PAPERS)


def test_origin_is_the_last_file_with_the_value(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("words: {model: {dim: 0, width: 0}}")
    second.write_text("words: {model: {dim: -1}}")
    experiment = {"words": {"model": {"dim": -1, "width": 0}, "seeds": [-5]}}
    files = [first, second]
    assert origin(experiment, ("words", "model", "dim"), files) == str(second)
    assert origin(experiment, ("words", "model", "width"), files) == str(first)
    assert origin(experiment, ("words", "model"), files) == str(second)
    assert origin(experiment, ("words", "seeds", 0), files) == "--config"


def test_duplicate_key_is_rejected_with_its_line(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("words:\n  seeds: [0]\n  seeds: [1]\n")
    with pytest.raises(UserError, match=r"mine\.yaml, line 3: the key 'seeds' occurs twice"):
        check({}, [file], REGISTRY, PAPERS)
