"""Pretrained causal language models (GPT-2 of Tables 2 and 5), loaded with the package transformers.

The package is not part of the project's environment; envs/pretrained.txt pins its version. It is only
imported when such a model is loaded.
"""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor, nn

from textlvm.runtime.errors import UserError
from textlvm.sentences.spec import ModelSpec

__all__ = ["PINS", "MissingModel", "PretrainedLanguageModel", "load"]

PINS = "envs/pretrained.txt"


class MissingModel(UserError):
    """Raised if the files of a model, or the package that loads it, are missing; says what to supply."""


class PretrainedLanguageModel(nn.Module):
    """A causal language model with its own tokenizer.

    `network` is a causal language model of transformers, `tokenizer` its tokenizer. Raises `UserError` if the
    tokenizer has no end-of-text token or the configuration does not give the context length.
    """

    def __init__(self, network: Any, tokenizer: Any) -> None:
        super().__init__()
        self.network, self.tokenizer = network, tokenizer
        if tokenizer.eos_token_id is None:
            raise UserError(
                f"the tokenizer of {network.name_or_path} has no end-of-text token, which the "
                "evaluation by sentences requires: choose a causal language model that has one"
            )
        if not getattr(network.config, "max_position_embeddings", 0):
            raise UserError(
                f"the configuration of {network.name_or_path} does not say how many tokens it can read "
                "(max_position_embeddings): add it to its config.json, or choose another model"
            )
        self.end: int = tokenizer.eos_token_id
        """The token after a text."""
        start = tokenizer.bos_token_id
        self.start: int = self.end if start is None else start
        """The token before a text."""
        self.context: int = network.config.max_position_embeddings
        """Maximum number of tokens that the model can read."""

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, without start and end tokens."""
        codes: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return codes

    def forward(self, codes: Tensor) -> Tensor:
        """Logits (B, T, V) of the tokens that follow each of `codes` (B, T)."""
        logits: Tensor = self.network(input_ids=codes, use_cache=False).logits
        return logits


def load(spec: ModelSpec) -> PretrainedLanguageModel:
    """Load the model in the folder `spec.path`, or `spec.hub` from the Hugging Face Hub, on the CPU.

    Raises `MissingModel` if transformers is not installed or the folder has no such model, and `UserError` if
    the download fails.
    """
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise MissingModel(
            f"the package transformers is not installed: run `pip install -r {PINS}` in the project's "
            "environment, then Snakemake again"
        ) from None
    if spec.path and not Path(spec.path).is_dir():
        raise MissingModel(
            f"model.path '{spec.path}' is not a folder: put the files of a causal language model there "
            "(config.json, model.safetensors, its tokenizer), then run Snakemake again"
        )
    name = spec.path or spec.hub
    # The name of a folder must not be looked up on the Hub.
    options = {"local_files_only": bool(spec.path)}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **options)
        network = AutoModelForCausalLM.from_pretrained(name, **options)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        if spec.hub:
            # Not a `MissingModel`: the step fails, so the next call of Snakemake retries the download.
            raise UserError(
                f"model.hub '{name}' cannot be loaded ({reason}): run this with internet access, or "
                "give its folder as model.path"
            ) from error
        raise MissingModel(
            f"model.path '{name}' cannot be loaded ({reason}): put all files of a causal language model there"
        ) from error
    return PretrainedLanguageModel(network, tokenizer)
