"""Query a trained model of words, from a shell or from Python.

    python -m textlvm.words.explore --run tril/seed0 sample --count 10 --letters argmax
    python -m textlvm.words.explore --run tril/seed0 score language zebra
    python -m textlvm.words.explore --run tril/seed0 score --words mine.txt --trajectories 65536
    python -m textlvm.words.explore --run tril/seed0 posterior language
    python -m textlvm.words.explore --run tril/seed0 probable --count 20

RUN is a folder with spec.json and model.safetensors. Probabilities are natural logarithms, with 95% intervals
if they are estimates.

sample      generate words from drawn letters, or from the most probable ones
score       log P of words; for a state space model estimated by importance sampling or, with
            --trajectories, by Eq. (12). FILE has one word per line; if every word is followed by a count, the
            cross entropy with these frequencies is printed too
posterior   for each letter of a word: -log P of the letter given the previous ones; the information of the
            word about the noise in nats, nan with too few particles; entropies of the letter before and after
            the noise, and their gap
probable    the most probable words

The output depends only on the model and on --seed. In Python:

    from textlvm.words.explore import generate, load, score

    torch.manual_seed(0)
    model = load("tril/seed0")
    generate(model, 10)
    score(model, ["language", "zebra"]).log_probs
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch

from textlvm.corpora.splits import read_words
from textlvm.estimate import Z95
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError
from textlvm.runtime.output import printing
from textlvm.training.seeds import seed_everything
from textlvm.words.model import StateSpaceModel
from textlvm.words.posterior import posterior
from textlvm.words.probable import by_probability, extensions
from textlvm.words.samples import LONGEST, generate
from textlvm.words.scores import DRAWS, Scores, read_list, require_words, score
from textlvm.words.trained import Model, load_model, read_settings

__all__ = ["generate", "lines", "load", "score"]

POSTERIOR_STATES, POSTERIOR_DRAWS = 512, 100
"""States for each entropy, and draws of the noise for each state."""


def load(run: str | Path, table: str | Path | None = None) -> Model:
    """The trained model in the folder of a run, on the CPU.

    An n-gram has no weights and is counted from `table`, the words.tsv of its split. Raises `UserError` if
    the folder has no trained run of the words paper, if its weights do not match its spec.json, and for an
    n-gram without `table`.
    """
    split = read_words(Path(table)) if table else None
    return load_model(Path(run), read_settings(Path(run)).model, split, torch.device("cpu"))


def lines(options: argparse.Namespace, model: Model) -> Iterator[str]:
    """The output of the command, line by line."""
    if options.command == "sample":
        for word in generate(model, options.count, argmax=options.letters == "argmax"):
            yield "…" if word is None else word
    elif options.command == "score":
        words, counts = _words(options)
        found = score(model, words, options.draws, options.trajectories)
        yield from _table(words, found)
        if counts is not None:
            value, error = found.cross_entropy(counts)
            yield f"cross entropy {value:.4f}{_interval(value, error)} nats/word"
    elif options.command == "posterior":
        yield from _posterior(model, options.word, options.particles)
    else:
        extend = extensions(model, options.search)
        found_words = [word for word, _ in zip(by_probability(extend), range(options.count), strict=False)]
        if not found_words:
            raise UserError(f"the model has no word of at most {LONGEST} letters: train it for more steps")
        # Scored by separate draws: the trajectories of the search favour the words found along them.
        found = score(model, found_words, options.draws, None)
        order = found.log_probs.argsort()[::-1]
        yield from _table(
            [found_words[i] for i in order], Scores(found.log_probs[order], found.errors[order])
        )


def _words(options: argparse.Namespace) -> tuple[list[str], list[int] | None]:
    if bool(options.texts) == (options.words is not None):
        raise UserError("score takes words, or a file of them with --words: pass one of them")
    if options.words is not None:
        return read_list(options.words)
    require_words(options.texts, "on the command line")
    return options.texts, None


def _table(words: list[str], found: Scores) -> Iterator[str]:
    width = max(map(len, words))
    for word, value, error in zip(words, found.log_probs, found.errors, strict=True):
        yield f"{word:{width}} {value:10.4f}{_interval(value, error)}"


def _interval(value: float, error: float) -> str:
    return f"  [{value - Z95 * error:.4f}, {value + Z95 * error:.4f}]" if error else ""


def _posterior(model: Model, word: str, particles: int) -> Iterator[str]:
    if not isinstance(model, StateSpaceModel):
        raise UserError("only a state space model generates words from noise: choose such a run")
    require_words([word], "on the command line")
    found = posterior(model, word, particles, POSTERIOR_STATES, POSTERIOR_DRAWS)
    yield "letter  -log P(letter)  noise  H before  H after   gap  lineages"
    for row, letter in enumerate([*word, "end"]):
        values = (-found.log_probs[row], found.information[row], found.marginal[row], found.expected[row])
        surprise, noise, before, after = map(float, values)
        yield (
            f"{letter:6}  {surprise:14.3f}  {noise:5.3f}  {before:8.3f}  {after:7.3f}  {before - after:5.3f}"
            f"  {int(found.lineages[row]):8}"
        )
    yield f"log P({word}) = {float(found.log_probs.sum()):.4f}"


def main(options: argparse.Namespace) -> None:
    """Print the output of the command."""
    model = load(options.run, options.table)
    seed_everything("words/explore", options.seed)
    with printing():
        for line in lines(options, model):
            print(line)


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a trained run")
    help_text = "words.tsv of the run's split, required for an n-gram model"
    parser.add_argument("--table", type=Path, metavar="words.tsv", help=help_text)
    parser.add_argument("--seed", type=int, default=0)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("sample", help="generate words")
    command.add_argument("--count", type=cli.at_least(1), default=10)
    command.add_argument("--letters", choices=("drawn", "argmax"), default="drawn")
    command = commands.add_parser("score", help="log P of words")
    command.add_argument("texts", nargs="*", metavar="WORD")
    command.add_argument("--words", type=Path, metavar="FILE", help="one word per line, or word<TAB>count")
    command.add_argument("--draws", type=cli.at_least(2), default=DRAWS, help="draws of q per word")
    command.add_argument(
        "--trajectories", type=cli.at_least(2), metavar="K", help="Eq. (12) with this K instead"
    )
    command = commands.add_parser("posterior", help="the information of a word about the noise")
    command.add_argument("word", metavar="WORD")
    command.add_argument("--particles", type=cli.at_least(100), default=20_000)
    command = commands.add_parser("probable", help="the most probable words")
    command.add_argument("--count", type=cli.at_least(1), default=20)
    command.add_argument(
        "--search", type=cli.at_least(1), default=4096, metavar="K", help="trajectories of the search"
    )
    command.add_argument("--draws", type=cli.at_least(2), default=DRAWS, help="draws of q per word")
    return parser


if __name__ == "__main__":
    cli.run(main, _arguments())
