"""textlvm.experiment.config: removal of entries by null in a later file."""

import pytest
import yaml

from textlvm.experiment.config import check, merged
from unit.overlay import PAPER, PAPERS, REGISTRY, error_message

REMOVED = [
    (
        "words: {runs: {standard: {2xtril-k10: null}}}",
        "config.yaml: words.figures.training_run is '2xtril-k10', but must be a run of the standard split "
        "with model.family state-space; did you mean 'tril-k10', '2xtril-k5', '2xtril-k10-bidi'?",
    ),
    (
        "sentences: {runs: {yahoo: {smim-32: null}}}",
        "config.yaml: sentences.collected.table6.rows.sMIM (S).runs.yahoo names 'smim-32', but must name a "
        "run on yahoo with model.objective smim or svae or ae; "
        "did you mean 'smim-512', 'smim-1024', 'smim-1024-unk'?",
    ),
    (
        "sentences: {collected: {table6: {rows: {sMIM: null}}}}",
        "mine.yaml: sentences.collected.table6.rows.sMIM must be an entry; null removes an entry of an "
        "earlier file, but there is none; did you mean 'sMIM (S)', 'sMIM (M)'?",
    ),
    # Only entries can be removed, not settings.
    (
        "words: {runs: {standard: {tril: {model: null}}}}",
        "mine.yaml: words.runs.standard.tril.model must be a mapping of keys to values, not null",
    ),
]


@pytest.mark.parametrize(("overlay", "expected"), REMOVED)
def test_error_message_for_an_entry_that_cannot_be_removed(tmp_path, overlay, expected):
    assert error_message(tmp_path, overlay) == expected


def test_null_removes_runs_and_collected_rows(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "words: {runs: {unseen: {trigram: null}}, training: {clip: null}}\nsentences:\n  runs: "
        "{yahoo: {lstm-lm: null}}\n  figures: {samples: {yahoo: {reference: smim-32}}}\n  collected: "
        "{table7: {rows: {AE (L): null, AE (S): {runs: {ptb: null}}}}}\n"
    )
    paper = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    experiment = merged([PAPER, file])
    found = check(experiment, [PAPER, file], REGISTRY, PAPERS)
    assert experiment["words"]["runs"]["unseen"]["trigram"] is None
    del paper["words"]["runs"]["unseen"]["trigram"], paper["sentences"]["runs"]["yahoo"]["lstm-lm"]
    paper["words"]["training"]["clip"] = None
    paper["sentences"]["figures"]["samples"]["yahoo"]["reference"] = "smim-32"
    rows = paper["sentences"]["collected"]["table7"]["rows"]
    del rows["AE (L)"], rows["AE (S)"]["runs"]["ptb"]
    assert found == paper
