"""Error messages for inconsistencies that a schema cannot express."""

import pytest
import yaml

from textlvm.experiment.config import check
from unit.overlay import PAPER, PAPERS, REGISTRY, cases, error_message

RELATIONS = """
words: {corpora: [gutemberg]}
    words.corpora lists 'gutemberg'; did you mean 'gutenberg', 'gutenberg-counts'?
corpora: {mine: {path: nowhere.txt, kind: text}}
words: {corpora: [mine]}
    corpora.mine.path: there is no file or folder nowhere.txt
corpora: {mine: {path: ., kind: sentences}}
    corpora.mine has `kind: sentences`: add its `format`, e.g. `format: lines`
words: {vocabulary: {min_length: 13}}
    words.vocabulary.min_length exceeds max_length
words: {runs: {standard: {tril: {model: {transition: real-nvp}}}}}
    words.runs.standard.tril: model.transition real-nvp needs model.masks
words: {runs: {standard: {tril: {model: {masks: [2]}}}}}
    words.runs.standard.tril: model.transition tril takes no model.masks
words: {runs: {standard: {real-nvp: {model: {masks: [2, 8]}}}}}
    words.runs.standard.real-nvp: model.masks must be less than model.dim, which is 8
words: {runs: {standard: {diag: {model: {layers: 2}}}}}
    words.runs.standard.diag: model.layers must be 1 for model.transition diag
words: {runs: {standard: {baseline-8d: {model: {samples: 5}}}}}
    words.runs.standard.baseline-8d.model.samples has no effect for model.family gru: remove it
words: {runs: {standard: {baseline-8d: {training: {estimator: path}}}}}
    words.runs.standard.baseline-8d.training.estimator has no effect for model.family gru: remove it
words: {runs: {standard: {tril: {model: {resampling: true}}}}}
    words.runs.standard.tril: model.resampling needs model.samples of more than 1
words: {runs: {standard: {hmm: {model: {layers: 2}}}}}
    words.runs.standard.hmm.model.layers has no effect for model.family hmm: remove it
words: {runs: {standard: {diag: {row: TRIL}}}}
    words.runs.standard.diag has the same row label as tril: use different ones
words: {runs: {unseen: {mine: {table: 1, row: TRIL}}}}
    words.runs.unseen.mine.table is 1, the table of runs on the split standard: set it to 2, or move the run
    to words.runs.standard.mine
words: {figures: {training_run: 2xtril-k11}}
    words.figures.training_run is '2xtril-k11', but must be a run of the standard split with model.family
    state-space; did you mean '2xtril-k10', '2xtril-k5', 'tril-k10'?
words: {figures: {baseline: oracle}}
    words.figures.baseline is 'oracle', but must be a run of the standard split with model.family gru; valid:
    'baseline-16d', 'baseline-8d'
sentences: {datasets: {yahoo: {corpus: yaho}}}
    sentences.datasets.yahoo.corpus is 'yaho'; did you mean 'yahoo', 'yahoocqa'?
sentences: {datasets: {everything: {union: [ptb, yelp]}}}
    sentences.datasets.everything.union lists 'yelp'; did you mean 'yelp15'?
sentences: {datasets: {everything: {union: [ptb, yahoocqa]}}}
    sentences.datasets.everything.union lists 'yahoocqa'; did you mean 'yahoo'?
sentences: {datasets: {yahoocqa: {corpus: documentation-sentences}}}
    sentences.datasets.yahoocqa.corpus is 'documentation-sentences', which has no questions with ranked
    answers; did you mean 'documentation-questions'?
sentences: {datasets: {ptb: {corpus: yahoocqa}}}
    sentences.datasets.ptb.corpus is 'yahoocqa', which has no sentences; did you mean 'yahoo'?
sentences: {datasets: {everything: {union: [ptb]}}}
    sentences.datasets.everything: union: name two or more different data sets
sentences: {datasets: {ptb: {union: [yahoo, yelp15]}}}
    sentences.datasets.ptb has both `corpus` and `union`: remove one of them
sentences: {datasets: {ptb: {splits: {train: {of: train}, valid: {of: train}, test: {of: test}}}}}
    sentences.datasets.ptb: splits: 2 of them come from the corpus's train; set `draw` for each of them
sentences: {runs: {ptv: {smim-16: {}}}}
    sentences.runs has 'ptv', which is not a data set; did you mean 'ptb'?
sentences: {runs: {ptb: {smim-17: {row: sMIM (16)}}}}
    sentences.runs.ptb.smim-17 has the same row label as smim-16: use different ones
sentences: {runs: {ptb: {data: {row: X}}}}
    sentences.runs.ptb.data: 'data' is the folder of the prepared data set: choose another name
sentences: {runs: {everything: {smim-everything: {row: X}}}}
    sentences.runs.everything.smim-everything.row: no table has rows of 'everything': remove it
sentences: {runs: {ptb: {smim-everything: {model: {latent: 8}}}}}
    sentences.runs.ptb.smim-everything.model has no effect in a run with `trained_on`: remove it
sentences: {runs: {ptb: {smim-everything: {seeds: [1]}}}}
    sentences.runs.ptb.smim-everything.seeds has no effect in a run with `trained_on`: remove it
sentences: {runs: {ptb: {smim-everything: {trained_on: everythin}}}}
    sentences.runs.ptb.smim-everything.trained_on is 'everythin', where no run 'smim-everything' is trained;
    did you mean 'everything'?
sentences: {runs: {ptb: {smim-all: {trained_on: everything}}}}
    sentences.runs.ptb.smim-all.trained_on evaluates a run of another data set, but no other data set has
    a run 'smim-all': use the name of that run, or remove `trained_on` to train it here
sentences: {datasets: {everything: {union: [yahoo, yelp15]}}}
    sentences.datasets.everything.union does not list 'ptb', on which sentences.runs.ptb.smim-everything is
    evaluated: list it, or set `trained_on` of that run to another union
sentences: {runs: {ptb: {smim-1024: {trained_on: yahoo}}}}
    sentences.runs.ptb.smim-1024.trained_on is 'yahoo', but a run that is evaluated on ptb must be trained on
    it or on a union that contains it: name such a union, or remove `trained_on` to train the run here
sentences: {runs: {yahoocqa: {lstm-lm: {trained_on: yahoo}}}}
    sentences.runs.yahoocqa.lstm-lm.trained_on is 'yahoo', where run 'lstm-lm' has model.objective lm, which
    cannot rank answers: choose a run with smim or svae or ae
sentences: {runs: {elsewhere: {smim-16: {}}, ptb: {smim-16: {trained_on: elsewhere}}}}
    sentences.runs has 'elsewhere', which is not a data set; valid: 'everything', 'ptb', 'wikitext-103',
    'yahoo', 'yahoocqa', 'yelp15'
sentences: {runs: {yahoo: {lstm-lm: {model: {latent: 8}}}}}
    sentences.runs.yahoo.lstm-lm.model.latent has no effect for model.objective lm: remove it
sentences: {runs: {ptb: {smim-16: {training: {free_bits: 8}}}}}
    sentences.runs.ptb.smim-16.training.free_bits has no effect for model.objective smim: remove it
sentences: {runs: {ptb: {ae-16: {training: {kl_offset: 100}}}}}
    sentences.runs.ptb.ae-16.training.kl_offset has no effect for model.objective ae: remove it
sentences: {runs: {ptb: {gpt2: {model: {objective: smim}}}}}
    sentences.runs.ptb.gpt2.model.family is pretrained, which goes with model.objective lm, not smim: change
    either
sentences: {model: {family: pretrained}}
    sentences.model.family has no default: set it in the `model` of a run
sentences: {datasets: {ptb: {model: {hub: gpt2}}}}
    sentences.datasets.ptb.model.hub has no default: set it in the `model` of a run
sentences: {runs: {ptb: {gpt2: {model: {path: weights}}}}}
    sentences.runs.ptb.gpt2.model has no pretrained model: set either `path`, a folder, or
    `hub`, a name on the Hugging Face Hub
sentences: {runs: {ptb: {gpt2: {model: {hidden: 8}}}}}
    sentences.runs.ptb.gpt2.model.hidden has no effect for model.family pretrained: remove it
sentences: {runs: {ptb: {gpt2: {training: {steps: 8}}}}}
    sentences.runs.ptb.gpt2.training has no effect for model.family pretrained: remove it
sentences: {runs: {ptb: {smim-16: {model: {path: weights}}}}}
    sentences.runs.ptb.smim-16.model.path has no effect for model.objective smim: remove it
sentences: {runs: {yahoo: {smim-512: {model: {objective: answers}}}}}
    sentences.runs.yahoo.smim-512: model.objective answers is for questions with ranked answers, which only
    yahoocqa has
sentences: {figures: {pairs: {runs: [ae-16]}}}
    sentences.figures.pairs.runs.0 names 'ae-16', but must name a run on ptb with model.objective smim or
    svae; did you mean 'svae-16', 'svae-512', 'svae-128'?
sentences: {texts: {table14: {dataset: yahoo, runs: [lstm-lm]}}}
    sentences.texts.table14.runs.0 names 'lstm-lm', but must name a run on yahoo with model.objective smim or
    svae or ae; valid: 'ae-1024', 'ae-32', 'ae-512', 'smim-1024', 'smim-1024-unk', 'smim-32', 'smim-512',
    'smim-everything', 'svae-1024-kl', 'svae-32-kl', 'svae-512-kl'
sentences: {texts: {table9: {runs: [ae-32]}}}
    sentences.texts.table9.runs.0 names 'ae-32', but must name a run on yahoo with model.objective smim or
    svae; did you mean 'svae-32-kl'?
sentences: {texts: {table12: {runs: [ae-512]}}}
    sentences.texts.table12.runs has only autoencoders, which the table does not show: add a run with
    model.objective smim or svae
sentences: {texts: {table12: {dataset: ptv}}}
    sentences.texts.table12.dataset: 'ptv' is not a data set of sentences; did you mean 'ptb'?
sentences: {figures: {pairs: {dataset: yahoocqa, runs: [smim-512]}}}
    sentences.figures.pairs.dataset: 'yahoocqa' is not a data set of sentences; did you mean 'yahoo'?
sentences: {figures: {samples: {yahoocqa: {run: smim-512, reference: smim-512}}}}
    sentences.figures.samples.yahoocqa: 'yahoocqa' is not a data set of sentences; did you mean 'yahoo'?
sentences: {qualitative: {reconstruct: []}}
    sentences.qualitative.reconstruct is empty, but sentences.texts.table13 shows reconstructions on
    yelp15: add some
sentences: {datasets: {yahoo: {qualitative: {questions: []}}}}
    sentences.datasets.yahoo.qualitative.questions is empty, but sentences.texts.table9 shows answers
    on yahoo: add some
sentences: {evaluation: {entropy_codes: 3}}
    sentences.evaluation.entropy_codes is 3, but must exceed entropy_neighbours, which is 3 for
    sentences.runs.ptb.svae-16
sentences: {datasets: {yahoo: {evaluation: {entropy_neighbours: 10000}}}}
    sentences.evaluation.entropy_codes is 10000, but must exceed entropy_neighbours, which is 10000 for
    sentences.runs.yahoo.svae-32-kl
sentences: {collected: {table6: {metric: latent_entropyy}}}
    sentences.collected.table6.metric is 'latent_entropyy', which is not computed for 'smim-16' on ptb; did
    you mean 'latent_entropy', 'normal_entropy'?
sentences: {collected: {table6: {rows: {AE (S): {metric: nll_elbo}}}}}
    sentences.collected.table6.rows.AE (S).metric is 'nll_elbo', which is not computed for 'ae-16' on ptb;
    valid: 'bleu1_eos', 'bleu1_greedy', 'bleu1_unmatched', 'bleu1_words', 'latent_entropy', 'normal_entropy',
    'normal_entropy_estimated', 'parameters', 'reconstruction'
sentences: {collected: {table6: {rows: {Mine: {runs: {yahoocqa: smim-512}}}}}}
    sentences.collected.table6.rows.Mine.runs.yahoocqa: 'yahoocqa' is not a data set of sentences; did you
    mean 'yahoo'?
sentences: {collected: {table7: {rows: {Mine: {runs: {ptb: smim-17}}}}}}
    sentences.collected.table7.rows.Mine.runs.ptb names 'smim-17', but must name a run on ptb with
    model.objective smim or svae or ae; did you mean 'smim-16', 'smim-512', 'smim-128'?
"""
LONG = "x" * 300


@pytest.mark.parametrize(("overlay", "expected"), cases(RELATIONS))
def test_error_message_for_inconsistent_settings(tmp_path, overlay, expected):
    assert error_message(tmp_path, overlay) == f"mine.yaml: {expected}"


def test_name_longer_than_the_file_system_allows_is_not_found(tmp_path):
    overlay = f"corpora: {{mine: {{path: {LONG}, kind: text}}}}\nwords: {{corpora: [mine]}}"
    message = f"mine.yaml: corpora.mine.path: there is no file or folder {LONG}"
    assert error_message(tmp_path, overlay) == message


def test_section_of_an_unlisted_paper_is_not_checked():
    experiment = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    experiment["words"]["corpora"] = ["nowhere"]
    check(experiment | {"papers": ["sentences"]}, [PAPER], REGISTRY, PAPERS)
