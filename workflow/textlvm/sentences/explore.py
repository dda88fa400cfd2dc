"""Apply a trained model to your own sentences, from a shell or from Python.

    python -m textlvm.sentences.explore --run ptb/smim-512/seed0 --data ptb/data reconstruct "A sentence."
    python -m textlvm.sentences.explore --run … --data … interpolate "A sentence." "Another one."
    python -m textlvm.sentences.explore --run … --data … sample --count 10
    python -m textlvm.sentences.explore --run … --data … answer "Where can I find roses?"

Input is tokenized like the data set. Words outside the vocabulary are printed and read as <unk>. The output
depends on the seed. In Python:

    from textlvm.sentences.explore import load

    model = load("ptb/smim-512/seed0", data="ptb/data")
    model.reconstruct([model.read("A sentence.")], perturbation=10)
    model.interpolate(model.read("A sentence."), model.read("Another one."), steps=10)
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from textlvm.runtime import cli
from textlvm.runtime.output import printing
from textlvm.sentences import trained
from textlvm.sentences.data.vocabulary import UNK, Codes
from textlvm.sentences.evaluation.generation import Writer
from textlvm.training import device as devices
from textlvm.training.seeds import seed_everything

__all__ = ["lines", "load"]

ANSWERS = {"short": 5, "medium": 10, "long": 15}
"""Expected number of words of an answer, by its name (Appendix D.4)."""


def load(run: str | Path, data: str | Path, device: torch.device | None = None) -> Writer:
    """The trained model in the folder of a run, on the CPU or `device`.

    `data` is the prepared data set that it was trained on. Raises `UserError` if the folder has no trained
    run, or a run that was trained on another data set.
    """
    return Writer(trained.load(Path(run), Path(data), device or torch.device("cpu")))


def lines(options: argparse.Namespace, writer: Writer, texts: list[Codes]) -> Iterator[str]:
    """Yield the lines that the command prints for the given texts."""
    if options.command == "reconstruct":
        for row in writer.reconstruct(texts, options.perturbation):
            yield from (f"{name:10} {text}" for name, text in row.items())
    elif options.command == "interpolate":
        yield from writer.interpolate(*texts, options.steps)
    elif options.command == "sample":
        yield from writer.sample(options.count, options.sigma)
    else:
        for name, words in ANSWERS.items():
            yield from (f"{name:10} {answer}" for answer in writer.answer(texts, words))


def main(options: argparse.Namespace) -> None:
    """Print the output of the trained model."""
    loaded = load(options.run, options.data, devices.choose(options.gpus))
    writer = replace(loaded, decoding=options.decoding, max_length=options.max_length)
    texts = [writer.read(text) for text in options.texts]
    for text, codes in zip(options.texts, texts, strict=True):
        tokens = writer.run.tokenize(text)
        if unknown := [token for token, code in zip(tokens, codes, strict=True) if code == UNK]:
            print(f"not in the vocabulary: {' '.join(unknown)}", file=sys.stderr)
    seed_everything("sentences/explore", options.seed)
    with printing():
        for line in lines(options, writer, texts):
            print(line)


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a trained run")
    parser.add_argument("--data", type=Path, required=True, help="prepared data set it was trained on")
    parser.add_argument("--seed", type=int, default=0)
    devices.add_argument(parser)
    parser.add_argument("--decoding", choices=("greedy", "sample"), default=Writer.decoding)
    parser.add_argument("--max-length", type=cli.at_least(1), default=Writer.max_length, help="words at most")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("reconstruct", help="from the mean code, a sampled and a perturbed one")
    command.add_argument("texts", nargs="+", metavar="TEXT")
    command.add_argument(
        "--perturbation", type=cli.positive, default=10, help="factor on the standard deviation"
    )
    command = commands.add_parser("interpolate", help="from one sentence's code to another's")
    command.add_argument("texts", nargs=2, metavar="TEXT")
    command.add_argument("--steps", type=cli.at_least(2), default=10)
    command = commands.add_parser("sample", help="new sentences")
    command.set_defaults(texts=[])
    command.add_argument("--count", type=cli.at_least(1), default=5)
    command.add_argument(
        "--sigma", type=cli.non_negative, default=0.1, help="standard deviation of the codes"
    )
    command = commands.add_parser("answer", help="short, medium and long answers to a question")
    command.add_argument("texts", nargs=1, metavar="QUESTION")
    return parser


if __name__ == "__main__":
    cli.run(main, _arguments())
