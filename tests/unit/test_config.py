import dataclasses
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm import config
from textlvm.config import check, origin
from textlvm.corpora import registry
from textlvm.errors import UserError
from textlvm.sentences import dataset, evaluation_spec
from textlvm.sentences import spec as sentences_spec
from textlvm.words import spec as words_spec

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "config.yaml"
REGISTRY = registry.load(ROOT / "workflow" / "corpora.yaml")


def merged(base, overlay):
    """Deep merge, as Snakemake does it."""
    if not (isinstance(base, dict) and isinstance(overlay, dict)):
        return overlay
    return base | {key: merged(base[key], value) if key in base else value for key, value in overlay.items()}


def sentence(tmp_path: Path, overlay: str) -> str:
    """What is said about config.yaml with this overlay, a file called mine.yaml."""
    file = tmp_path / "mine.yaml"
    file.write_text(overlay, encoding="utf-8")
    experiment = merged(yaml.safe_load(PAPER.read_text(encoding="utf-8")), yaml.safe_load(overlay))
    with pytest.raises(UserError) as error:
        check(experiment, [PAPER, file], REGISTRY)
    return str(error.value).replace(str(tmp_path) + "/", "").replace(str(ROOT) + "/", "")


def test_the_shipped_experiments_are_correct():
    shipped = [*ROOT.glob("workflow/profiles/*/experiment.yaml"), *ROOT.glob("results/recorded/*/*.yaml")]
    assert len(shipped) > 2
    paper = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    check(paper, [PAPER], REGISTRY)
    for file in shipped:
        check(merged(paper, yaml.safe_load(file.read_text(encoding="utf-8"))), [PAPER, file], REGISTRY)


@pytest.mark.parametrize(
    ("paper", "section", "spec"),
    [
        ("words", "model", words_spec.ModelSpec),
        ("words", "training", words_spec.TrainingSpec),
        ("words", "evaluation", words_spec.EvaluationSpec),
        ("sentences", "model", sentences_spec.ModelSpec),
        ("sentences", "training", sentences_spec.TrainingSpec),
        ("sentences", "evaluation", evaluation_spec.EvaluationSpec),
        ("sentences", "qualitative", evaluation_spec.QualitativeSpec),
    ],
)
def test_the_schema_has_exactly_the_fields_of_the_specs(paper, section, spec):
    fields = [field.name for field in dataclasses.fields(spec)]
    name = section if section == "qualitative" else f"{paper}_{section}"
    assert list(config.schema()["$defs"][name]["properties"]) == fields
    assert config.schema()["properties"][paper]["properties"][section]["required"] == fields


def test_the_schema_has_exactly_the_fields_of_a_data_set():
    properties = config.schema()["$defs"]["dataset"]["properties"]
    fields = {
        f.name for kind in (dataset.DatasetSettings, dataset.UnionSettings) for f in dataclasses.fields(kind)
    }
    # The registry knows a corpus's format, and where its splits are.
    fields -= {"format", "members"}
    assert set(properties) == fields | {"row", "model", "training", "evaluation", "qualitative"}
    for name, kind in (("tokens", dataset.Tokenization), ("vocabulary", dataset.VocabularyRule)):
        assert list(properties[name]["properties"]) == [f.name for f in dataclasses.fields(kind)]
    rule = config.schema()["$defs"]["split"]["properties"]
    assert list(rule) == [f.name for f in dataclasses.fields(dataset.SplitRule)]


def test_a_corpus_of_the_users_may_say_what_the_registry_reads():
    corpus = config.schema()["properties"]["corpora"]["additionalProperties"]["properties"]
    registered = yaml.safe_load(registry.SCHEMA.read_text(encoding="utf-8"))["$defs"]["corpus"]["properties"]
    assert set(corpus) == set(registry.OVERRIDES)
    assert corpus["format"] == registered["format"]
    assert set(corpus["kind"]["enum"]) == set(registered["kind"]["enum"]) - {"documentation"}


def test_no_mapping_of_the_schema_lets_unknown_keys_pass():
    def mappings(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for child in node.values():
                yield from mappings(child)

    for mapping in mappings(config.schema()):
        assert mapping["additionalProperties"] is False or "propertyNames" in mapping


UNKNOWN = [
    ("wrods: {}", "mine.yaml: unknown key 'wrods'; did you mean 'words'?"),
    ("words: {modle: {}}", "mine.yaml: unknown key 'modle' in words; did you mean 'model'?"),
    (
        "words: {model: {sample: 2}}",
        "mine.yaml: unknown key 'sample' in words.model; did you mean 'samples'?",
    ),
    (
        "words: {runs: {unsen: {}}}",
        "mine.yaml: unknown key 'unsen' in words.runs; did you mean 'unseen'?",
    ),
    (
        "words: {runs: {standard: {tril: {modell: {}}}}}",
        "mine.yaml: unknown key 'modell' in words.runs.standard.tril; did you mean 'model'?",
    ),
    (
        "words: {runs: {standard: {tril: {training: {step: 9}}}}}",
        "mine.yaml: unknown key 'step' in words.runs.standard.tril.training; did you mean 'steps'?",
    ),
    (
        "sentences: {datasets: {ptb: {tokens: {methd: tweet}}}}",
        "mine.yaml: unknown key 'methd' in sentences.datasets.ptb.tokens; did you mean 'method'?",
    ),
    (
        "sentences: {runs: {ptb: {smim-16: {model: {latnt: 8}}}}}",
        "mine.yaml: unknown key 'latnt' in sentences.runs.ptb.smim-16.model; did you mean 'latent'?",
    ),
    ("pathvars: {reslts: x}", "mine.yaml: unknown key 'reslts' in pathvars; did you mean 'results'?"),
    # The misspelt key, not the one that is missing because of it.
    (
        "words: {runs: {standard: {mine: {table: 1, raw: X}}}}",
        "mine.yaml: unknown key 'raw' in words.runs.standard.mine; did you mean 'row'?",
    ),
]
VALUES = [
    ("words: 3", "mine.yaml: words must be a mapping of keys to values, not 3"),
    ("words: {seeds: 3}", "mine.yaml: words.seeds must be a list, not 3"),
    ("words: {seeds: []}", "mine.yaml: words.seeds must not be empty"),
    ("words: {seeds: [1, 1]}", "mine.yaml: words.seeds lists something twice: [1, 1]"),
    ("words: {seeds: [0, -1]}", "mine.yaml: words.seeds.1 must be at least 0, not -1"),
    ("words: {model: {dim: eight}}", 'mine.yaml: words.model.dim must be a whole number, not "eight"'),
    ("words: {model: {dim: true}}", "mine.yaml: words.model.dim must be a whole number, not true"),
    ("words: {model: {delta: 0.5}}", "mine.yaml: words.model.delta must be less than 0.5, not 0.5"),
    (
        "words: {training: {learning_rate: 1e-3}}",
        'mine.yaml: words.training.learning_rate must be a number, not "1e-3": write 0.001',
    ),
    ("words: {training: {clip: -1}}", "mine.yaml: words.training.clip must be greater than 0, not -1"),
    (
        "words: {model: {transition: trill}}",
        "mine.yaml: words.model.transition cannot be \"trill\"; did you mean 'tril'?",
    ),
    (
        "words: {runs: {standard: {tril: {table: 3}}}}",
        "mine.yaml: words.runs.standard.tril.table cannot be 3; valid: '1', '2'",
    ),
    ("words: {runs: {standard: {mine: {table: 1}}}}", "mine.yaml: words.runs.standard.mine.row is missing"),
    (
        "words: {runs: {standard: {mine: }}}",
        "mine.yaml: words.runs.standard.mine must be a mapping of keys to values, not null",
    ),
    (
        "words: {runs: {standard: {My Run: {table: 1, row: X}}}}",
        "mine.yaml: the name 'My Run' in words.runs.standard must consist of "
        "lower-case letters, digits and hyphens",
    ),
    (
        "words: {runs: {standard: {8: {table: 1, row: X}}}}",
        "mine.yaml: words.runs.standard has the key 8, which is not text: put it in quotes",
    ),
    *(
        (
            f"pathvars: {{results: '{folder}'}}",
            "mine.yaml: pathvars.results must be a folder, without a hyphen at its beginning, a slash at its "
            f'end, "//", the parts "." and ".." or any of {{}}<>, not "{folder}"',
        )
        for folder in (
            "a/{b}",
            ".",
            "./a",
            "a/./b",
            "a/.",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "a//b",
            "-a",
            "a/",
        )
    ),
    (
        "sentences: {evaluation: {as_quoted: maybe}}",
        'mine.yaml: sentences.evaluation.as_quoted must be true or false, not "maybe"',
    ),
    (
        "sentences: {qualitative: {interpolate: [[1]]}}",
        "mine.yaml: sentences.qualitative.interpolate.0 must have 2 entries, not 1",
    ),
    (
        "words: {runs: {standard: {tril: {row: --out}}}}",
        'mine.yaml: words.runs.standard.tril.row must be text that does not begin with a hyphen, not "--out"',
    ),
    (
        'words: {runs: {standard: {tril: {row: "a\\nb"}}}}',
        "mine.yaml: words.runs.standard.tril.row has '\\n' in it: write it on one line, in plain text",
    ),
    (
        'sentences: {collected: {table6: {rows: {"a\\tb": {runs: {}}}}}}',
        "mine.yaml: sentences.collected.table6.rows has the key 'a\\tb': write it on one line, in plain text",
    ),
    (
        "words: {training: {learning_rate: .inf}}",
        "mine.yaml: words.training.learning_rate must be a number between -2^63 and 2^63, not Infinity",
    ),
    (
        "words: {training: {clip: .nan}}",
        "mine.yaml: words.training.clip must be a number between -2^63 and 2^63, not NaN",
    ),
    ("words: {ngram: {orders: [7]}}", "mine.yaml: words.ngram.orders.0 must be at most 6, not 7"),
]
RELATIONS = [
    (
        "words: {corpora: [gutemberg]}",
        "mine.yaml: words.corpora lists 'gutemberg'; did you mean 'gutenberg', 'gutenberg-counts'?",
    ),
    (
        "corpora: {mine: {path: nowhere.txt, kind: text}}\nwords: {corpora: [mine]}",
        "mine.yaml: corpora.mine.path: there is no file or folder nowhere.txt",
    ),
    (
        f"corpora: {{mine: {{path: {'x' * 300}, kind: text}}}}\nwords: {{corpora: [mine]}}",
        f"mine.yaml: corpora.mine.path: there is no file or folder {'x' * 300}",
    ),
    (
        "words: {vocabulary: {min_length: 13}}",
        "mine.yaml: words.vocabulary.min_length exceeds max_length",
    ),
    (
        "words: {runs: {standard: {tril: {model: {transition: real-nvp}}}}}",
        "mine.yaml: words.runs.standard.tril: model.transition real-nvp needs model.masks",
    ),
    (
        "words: {runs: {standard: {tril: {model: {masks: [2]}}}}}",
        "mine.yaml: words.runs.standard.tril: model.transition tril takes no model.masks",
    ),
    (
        "words: {runs: {standard: {real-nvp: {model: {masks: [2, 8]}}}}}",
        "mine.yaml: words.runs.standard.real-nvp: model.masks must be less than model.dim, which is 8",
    ),
    (
        "words: {runs: {standard: {diag: {model: {layers: 2}}}}}",
        "mine.yaml: words.runs.standard.diag: model.layers must be 1 for model.transition diag",
    ),
    (
        "words: {runs: {standard: {baseline-8d: {model: {samples: 5}}}}}",
        "mine.yaml: words.runs.standard.baseline-8d.model.samples does nothing for model.family gru: "
        "remove it",
    ),
    (
        "words: {runs: {standard: {diag: {row: TRIL}}}}",
        "mine.yaml: words.runs.standard.diag has the same row label as tril: give each its own",
    ),
    (
        "words: {runs: {unseen: {mine: {table: 1, row: TRIL}}}}",
        "mine.yaml: words.runs.unseen.mine.table is 1, the table of runs on the split standard: "
        "set it to 2, or move the run to words.runs.standard.mine",
    ),
    (
        "words: {runs: {standard: {mine: {table: 2, row: TRIL}}}}",
        "mine.yaml: words.runs.standard.mine.table is 2, the table of runs on the split unseen: "
        "set it to 1, or move the run to words.runs.unseen.mine",
    ),
    (
        "words: {figures: {training_run: 2xtril-k11}}",
        "mine.yaml: words.figures.training_run is '2xtril-k11', but must be a run of the standard split with "
        "model.family state-space; did you mean '2xtril-k10', '2xtril-k5', 'tril-k10'?",
    ),
    (
        "words: {figures: {baseline: oracle}}",
        "mine.yaml: words.figures.baseline is 'oracle', but must be a run of the standard split with "
        "model.family gru; valid: 'baseline-16d', 'baseline-8d'",
    ),
    (
        "sentences: {datasets: {yahoo: {corpus: yaho}}}",
        "mine.yaml: sentences.datasets.yahoo.corpus is 'yaho'; did you mean 'yahoo', 'yahoocqa'?",
    ),
    (
        "sentences: {datasets: {everything: {union: [ptb, yelp]}}}",
        "mine.yaml: sentences.datasets.everything.union lists 'yelp'; did you mean 'yelp15'?",
    ),
    (
        "sentences: {datasets: {everything: {union: [ptb, yahoocqa]}}}",
        "mine.yaml: sentences.datasets.everything.union lists 'yahoocqa'; did you mean 'yahoo'?",
    ),
    (
        "sentences: {datasets: {yahoocqa: {corpus: documentation-sentences}}}",
        "mine.yaml: sentences.datasets.yahoocqa.corpus is 'documentation-sentences', which has no questions "
        "with ranked answers; did you mean 'documentation-questions'?",
    ),
    (
        "sentences: {datasets: {ptb: {corpus: yahoocqa}}}",
        "mine.yaml: sentences.datasets.ptb.corpus is 'yahoocqa', which has no sentences; "
        "did you mean 'yahoo'?",
    ),
    (
        "sentences: {datasets: {ptb: {corpus: gutenberg}}}",
        "mine.yaml: sentences.datasets.ptb.corpus is 'gutenberg', which has no sentences; valid: "
        "'documentation-answers', 'documentation-labelled', 'documentation-paragraphs', "
        "'documentation-sentences', 'ptb', 'wikitext-103', 'wikitext-103-held-out', 'yahoo', "
        "'yahoo-held-out', 'yelp13', 'yelp15'",
    ),
    (
        "corpora: {mine: {path: /, kind: sentences, format: lines}}\n"
        "sentences: {datasets: {yahoocqa: {corpus: mine}}}",
        "mine.yaml: sentences.datasets.yahoocqa.corpus is 'mine', which has no questions with ranked "
        "answers; valid: 'documentation-questions', 'yahoocqa', 'yahoocqa-dasl'",
    ),
    (
        "sentences: {datasets: {everything: {union: [ptb]}}}",
        "mine.yaml: sentences.datasets.everything: union: name two or more different data sets",
    ),
    (
        "sentences: {datasets: {ptb: {union: [yahoo, yelp15]}}}",
        "mine.yaml: sentences.datasets.ptb has both `corpus` and `union`: remove one of them",
    ),
    (
        "sentences: {datasets: {ptb: {splits: {train: {of: train}, valid: {of: train}, test: {of: test}}}}}",
        "mine.yaml: sentences.datasets.ptb: splits: 2 of them come from the corpus's train; "
        "give `draw` for each of these",
    ),
    (
        "sentences: {runs: {ptv: {smim-16: {}}}}",
        "mine.yaml: sentences.runs has 'ptv', which is no data set; did you mean 'ptb'?",
    ),
    (
        "sentences: {runs: {ptb: {smim-17: {row: sMIM (16)}}}}",
        "mine.yaml: sentences.runs.ptb.smim-17 has the same row label as smim-16: give each its own",
    ),
    (
        "sentences: {runs: {ptb: {data: {row: X}}}}",
        "mine.yaml: sentences.runs.ptb.data: `data` is the folder of the prepared data set: "
        "choose another name",
    ),
    (
        "sentences: {runs: {everything: {smim-everything: {row: X}}}}",
        "mine.yaml: sentences.runs.everything.smim-everything.row: no table has rows of 'everything': "
        "remove it",
    ),
    (
        "sentences: {runs: {ptb: {smim-everything: {model: {latent: 8}}}}}",
        "mine.yaml: sentences.runs.ptb.smim-everything.model does nothing in a run with `trained_on`: "
        "remove it",
    ),
    (
        "sentences: {runs: {ptb: {smim-everything: {trained_on: everythin}}}}",
        "mine.yaml: sentences.runs.ptb.smim-everything.trained_on is 'everythin', where no run "
        "'smim-everything' is trained; did you mean 'everything'?",
    ),
    (
        "sentences: {runs: {ptb: {smim-all: {trained_on: everything}}}}",
        "mine.yaml: sentences.runs.ptb.smim-all.trained_on measures a run that was trained elsewhere, but no "
        "run is called 'smim-all' elsewhere: give it the name of that run, or remove `trained_on` to train "
        "it here",
    ),
    (
        "sentences: {datasets: {everything: {union: [yahoo, yelp15]}}}",
        "mine.yaml: sentences.datasets.everything.union does not list 'ptb', on which "
        "sentences.runs.ptb.smim-everything is measured: list it, or name another union as what that run was "
        "trained on",
    ),
    (
        "sentences: {runs: {ptb: {smim-1024: {trained_on: yahoo}}}}",
        "mine.yaml: sentences.runs.ptb.smim-1024.trained_on is 'yahoo', but what is measured on ptb is "
        "trained there or on a union that contains it: name such a union, or remove `trained_on` to train "
        "the run here",
    ),
    (
        "sentences: {runs: {ptb: {ap-bilstm: {trained_on: yahoocqa}}}}",
        "mine.yaml: sentences.runs.ptb.ap-bilstm.trained_on is 'yahoocqa', but what is measured on ptb is "
        "trained there or on a union that contains it: name such a union, or remove `trained_on` to train "
        "the run here",
    ),
    (
        "sentences: {runs: {yahoocqa: {lstm-lm: {trained_on: yahoo}}}}",
        "mine.yaml: sentences.runs.yahoocqa.lstm-lm.trained_on is 'yahoo', where run 'lstm-lm' has "
        "model.objective lm, which ranks no answers: choose a run with smim or svae or ae",
    ),
    # Named before what is said of runs that were trained there.
    (
        "sentences: {runs: {elsewhere: {smim-16: {}}, ptb: {smim-16: {trained_on: elsewhere}}}}",
        "mine.yaml: sentences.runs has 'elsewhere', which is no data set; valid: 'everything', 'ptb', "
        "'wikitext-103', 'yahoo', 'yahoocqa', 'yelp15'",
    ),
    (
        "sentences: {runs: {yahoo: {lstm-lm: {model: {latent: 8}}}}}",
        "mine.yaml: sentences.runs.yahoo.lstm-lm.model.latent does nothing for model.objective lm: remove it",
    ),
    (
        "sentences: {runs: {yahoo: {smim-512: {model: {objective: answers}}}}}",
        "mine.yaml: sentences.runs.yahoo.smim-512: model.objective answers is for questions with ranked "
        "answers, which only yahoocqa has",
    ),
    (
        "sentences: {figures: {pairs: {runs: [ae-16]}}}",
        "mine.yaml: sentences.figures.pairs.runs.0 names 'ae-16', but must name a run on ptb with "
        "model.objective smim or svae; did you mean 'svae-16', 'svae-512', 'svae-128'?",
    ),
    (
        "sentences: {texts: {table14: {dataset: yahoo, runs: [lstm-lm]}}}",
        "mine.yaml: sentences.texts.table14.runs.0 names 'lstm-lm', but must name a run on yahoo with "
        "model.objective smim or svae or ae; valid: 'ae-1024', 'ae-32', 'ae-512', 'smim-1024', "
        "'smim-1024-unk', 'smim-32', 'smim-512', 'smim-everything', 'svae-1024-kl', 'svae-32-kl', "
        "'svae-512-kl'",
    ),
    (
        "sentences: {texts: {table9: {runs: [ae-32]}}}",
        "mine.yaml: sentences.texts.table9.runs.0 names 'ae-32', but must name a run on yahoo with "
        "model.objective smim or svae; did you mean 'svae-32-kl'?",
    ),
    (
        "sentences: {texts: {table18: {runs: [smim-512, ae-512]}}}",
        "mine.yaml: sentences.texts.table18.runs.1 names 'ae-512', but must name a run on ptb with "
        "model.objective smim or svae; did you mean 'svae-512', 'svae-128', 'svae-16'?",
    ),
    (
        "sentences: {texts: {table12: {runs: [ae-512]}}}",
        "mine.yaml: sentences.texts.table12.runs has auto-encoders alone, which are no columns of the table: "
        "add a run with model.objective smim or svae",
    ),
    (
        "sentences: {texts: {table12: {dataset: ptv}}}",
        "mine.yaml: sentences.texts.table12.dataset: 'ptv' is no data set of sentences; did you mean 'ptb'?",
    ),
    (
        "sentences: {texts: {table14: {dataset: yahoocqa, runs: [smim-512]}}}",
        "mine.yaml: sentences.texts.table14.dataset: 'yahoocqa' is no data set of sentences; "
        "did you mean 'yahoo'?",
    ),
    (
        "sentences: {figures: {pairs: {dataset: yahoocqa, runs: [smim-512]}}}",
        "mine.yaml: sentences.figures.pairs.dataset: 'yahoocqa' is no data set of sentences; "
        "did you mean 'yahoo'?",
    ),
    (
        "sentences: {figures: {samples: {yahoocqa: {run: smim-512, reference: smim-512}}}}",
        "mine.yaml: sentences.figures.samples.yahoocqa: 'yahoocqa' is no data set of sentences; "
        "did you mean 'yahoo'?",
    ),
    (
        "sentences: {qualitative: {reconstruct: []}}",
        "mine.yaml: sentences.qualitative.reconstruct asks for nothing, but sentences.texts.table13 shows "
        "reconstructions on yelp15: ask for some",
    ),
    (
        "sentences: {qualitative: {interpolate: []}}",
        "mine.yaml: sentences.qualitative.interpolate asks for nothing, but sentences.texts.table10 shows "
        "interpolations on yelp15: ask for some",
    ),
    (
        "sentences: {qualitative: {samples: 0}}",
        "mine.yaml: sentences.qualitative.samples asks for nothing, but sentences.texts.table18 shows "
        "samples on ptb: ask for some",
    ),
    (
        "sentences: {datasets: {yahoo: {qualitative: {questions: []}}}}",
        "mine.yaml: sentences.datasets.yahoo.qualitative.questions asks for nothing, but "
        "sentences.texts.table9 shows answers on yahoo: ask for some",
    ),
    (
        "sentences: {collected: {table6: {metric: latent_entropyy}}}",
        "mine.yaml: sentences.collected.table6.metric is 'latent_entropyy', which is not measured of "
        "'smim-16' on ptb; did you mean 'latent_entropy', 'normal_entropy'?",
    ),
    (
        "sentences: {collected: {table6: {rows: {AE (S): {metric: nll_elbo}}}}}",
        "mine.yaml: sentences.collected.table6.rows.AE (S).metric is 'nll_elbo', which is not measured of "
        "'ae-16' on ptb; valid: 'bleu1', 'bleu1_greedy', 'bleu1_words', 'latent_entropy', 'normal_entropy', "
        "'normal_entropy_estimated', 'parameters', 'reconstruction'",
    ),
    (
        "sentences: {collected: {table6: {rows: {Mine: {runs: {yahoocqa: smim-512}}}}}}",
        "mine.yaml: sentences.collected.table6.rows.Mine.runs.yahoocqa: 'yahoocqa' is no data set of "
        "sentences; did you mean 'yahoo'?",
    ),
    (
        "sentences: {collected: {table7: {rows: {Mine: {runs: {ptb: smim-17}}}}}}",
        "mine.yaml: sentences.collected.table7.rows.Mine.runs.ptb names 'smim-17', but must name a run on "
        "ptb with model.objective smim or svae or ae; did you mean 'smim-16', 'smim-512', 'smim-128'?",
    ),
]


def test_a_paper_that_is_not_run_is_not_held_against_itself():
    experiment = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    experiment["words"]["corpora"] = ["nowhere"]
    check(experiment | {"papers": ["sentences"]}, [PAPER], REGISTRY)


@pytest.mark.parametrize(("overlay", "expected"), UNKNOWN + VALUES + RELATIONS)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, overlay, expected):
    assert sentence(tmp_path, overlay) == expected


@pytest.mark.parametrize("folder", ["a", "a/b.c", ".a", "a/..b", "a/b..", "...", "/a/b", "a b"])
def test_a_folder_may_have_any_other_name(folder):
    paper = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    check(merged(paper, {"pathvars": {"results": folder}}), [PAPER], REGISTRY)


def test_the_file_named_is_the_one_whose_value_counts(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("words: {model: {dim: 0, width: 0}}")
    second.write_text("words: {model: {dim: -1}}")
    experiment = {"words": {"model": {"dim": -1, "width": 0}, "seeds": [-5]}}
    files = [first, second]
    assert origin(experiment, ("words", "model", "dim"), files) == str(second)
    assert origin(experiment, ("words", "model", "width"), files) == str(first)
    assert origin(experiment, ("words", "model"), files) == str(second)
    assert origin(experiment, ("words", "seeds", 0), files) == "--config"


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("words:\n  seeds: [0]\n  seeds: [1]\n")
    with pytest.raises(UserError, match=r"mine\.yaml, line 3: the key 'seeds' stands twice"):
        check({}, [file], REGISTRY)


def leaves(value, key=()):
    if isinstance(value, dict):
        for name, child in value.items():
            yield from leaves(child, (*key, name))
    yield key


PAPER_CONFIG = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
) | st.dictionaries(st.text(max_size=4) | st.integers(), st.integers(), max_size=2)


@settings(max_examples=40, deadline=None)
@given(key=st.sampled_from([key for key in leaves(PAPER_CONFIG) if key]), junk=JUNK)
def test_whatever_stands_at_a_key_is_accepted_or_refused_in_one_line(key, junk):
    overlay = junk
    for name in reversed(key):
        overlay = {name: overlay}
    try:
        check(merged(PAPER_CONFIG, overlay), [PAPER], REGISTRY)
    except UserError as error:
        text = str(error)
        assert "\n" not in text
        assert str(key[0]) in text
