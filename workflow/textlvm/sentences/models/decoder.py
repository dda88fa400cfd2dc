"""Embedding, recurrent encoder and decoder of Sec. 4.2, which all models with latent codes share."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from textlvm.distributions import draw
from textlvm.sentences.data.batches import SentenceBatch
from textlvm.sentences.data.vocabulary import EOS, PAD, SOS
from textlvm.sentences.models.recurrent import CELLS
from textlvm.sentences.models.softmax import target_log_probs
from textlvm.sentences.spec import ModelSpec
from textlvm.training.precision import accumulation_dtype

__all__ = ["LatentVariableModel"]


class LatentVariableModel(nn.Module):
    """A recurrent encoder, and a decoder p(x|z) with inputs [word; z]; subclasses define q(z|x).

    The encoder reads <sos> and the words in reverse order, so its last step reads the beginning of the
    sentence. The paper's "50% embedding dropout" is applied to the decoder's words; in the authors' demo, the
    encoder has no dropout.
    """

    def __init__(self, spec: ModelSpec, vocabulary_size: int) -> None:
        super().__init__()
        cell = CELLS[spec.cell]
        self.embedding = nn.Embedding(vocabulary_size, spec.embedding)
        self.dropout = nn.Dropout(spec.dropout)
        self.encoder_dropout = nn.Dropout(spec.encoder_dropout)
        self.encoder = cell(spec.embedding, spec.hidden)
        self.add_posterior(spec)
        self.decoder = cell(spec.embedding, spec.hidden, context=spec.latent)
        self.initial = nn.Linear(spec.latent, self.decoder.state_size)
        self.output = nn.Linear(spec.hidden, vocabulary_size)

    def add_posterior(self, spec: ModelSpec) -> None:
        """Add the layers between the encoder's states and the code."""
        raise NotImplementedError

    def read(self, batch: SentenceBatch) -> Tensor:
        """The encoder's states (N, hidden) along the reversed sentences."""
        embedded = self.encoder_dropout(self.embedding(batch.encoder_inputs[batch.packing.reversal]))
        states: Tensor = self.encoder(embedded, batch.packing)
        return states

    def initial_state(self, z: Tensor) -> Tensor:
        """The decoder's state before the first word for codes z (B, latent), never in bfloat16."""
        with torch.autocast(z.device.type, enabled=False):
            state: Tensor = self.initial(z)
        return state

    def log_likelihood(self, batch: SentenceBatch, z: Tensor) -> tuple[Tensor, Tensor]:
        """log p(words|z) and log p(<eos>|words, z) for codes z (B, latent), in nats: (B,) each (Eq. 1)."""
        embedded = self.dropout(self.embedding(batch.decoder_inputs))
        states = self.decoder(embedded, batch.packing, self.initial_state(z), z)
        log_probs = target_log_probs(states, self.output.weight, self.output.bias, batch.targets)
        return batch.words_and_end(log_probs)

    def reset_decoder(self) -> None:
        """Reinitialize the decoder's weights, except the embedding, which the encoder shares."""
        for layer in (self.decoder.layer, self.initial, self.output):
            layer.reset_parameters()

    @torch.no_grad()
    def decode(
        self, z: Tensor, method: str = "greedy", forbid: Sequence[int] = (), max_length: int = 100
    ) -> list[list[int]]:
        """A sentence of at most `max_length` words for each z (B, latent), as codes without <sos> and <eos>.

        `method` is greedy (the most probable word in each step) or sample (with PyTorch's default generator);
        codes in `forbid` are never generated.
        """
        forbidden = torch.tensor([PAD, SOS, *forbid], device=z.device)
        sentences: list[list[int]] = [[] for _ in z]
        unfinished = torch.arange(len(z), device=z.device)
        state, words = self.initial_state(z), torch.full((len(z),), SOS, device=z.device)
        for _ in range(max_length):
            state = self.decoder.step(self.embedding(words), state, z)
            logits = self.output(state[:, : self.output.in_features]).index_fill(1, forbidden, -torch.inf)
            # In bfloat16, the cumulative distribution of many words is too coarse, and argmax is slow.
            logits = logits.to(accumulation_dtype(logits.dtype))
            words = logits.argmax(1) if method == "greedy" else draw(logits.softmax(1))
            kept = (words != EOS).nonzero().squeeze(1)
            state, z, words, unfinished = state[kept], z[kept], words[kept], unfinished[kept]
            for sentence, word in zip(unfinished.tolist(), words.tolist(), strict=True):
                sentences[sentence].append(word)
            if not len(unfinished):
                break
        return sentences
