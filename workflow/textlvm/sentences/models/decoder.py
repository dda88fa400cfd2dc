"""The decoder of Sec. 4.2, with the embedding and the recurrent encoder before it, which all rows share."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from textlvm.distributions import draw
from textlvm.sentences.data.batches import SentenceBatch
from textlvm.sentences.data.vocabulary import EOS, PAD, SOS
from textlvm.sentences.models.recurrent import CELLS
from textlvm.sentences.models.softmax import target_log_probs
from textlvm.sentences.spec import ModelSpec

__all__ = ["LatentVariableModel"]


class LatentVariableModel(nn.Module):
    """p(x|z): one recurrent layer fed with [word; z]; subclasses add q(z|x) to the encoder.

    The encoder reads what the decoder is given, <sos> and the words, from the end, so that its last state has
    just seen the sentence's beginning. "50% embedding dropout" zeroes entries of the words that the decoder
    reads; in the authors' demo the encoder has none.
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

    def log_likelihood(self, batch: SentenceBatch, z: Tensor) -> tuple[Tensor, Tensor]:
        """log p(words|z) and log p(<eos>|words, z) for codes z (B, latent), in nats: (B,) each (Eq. 1)."""
        with torch.autocast(z.device.type, enabled=False):
            initial = self.initial(z)
        embedded = self.dropout(self.embedding(batch.decoder_inputs))
        states = self.decoder(embedded, batch.packing, initial, z)
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

        `method` is greedy (the most probable word, one after the other) or sample, from PyTorch's generator
        of the device; codes in `forbid` are never generated.
        """
        barred = torch.tensor([PAD, SOS, *forbid], device=z.device)
        sentences: list[list[int]] = [[] for _ in z]
        going = torch.arange(len(z), device=z.device)
        state, words = self.initial(z), torch.full((len(z),), SOS, device=z.device)
        for _ in range(max_length):
            state = self.decoder.step(self.embedding(words), state, z)
            logits = self.output(state[:, : self.output.in_features]).index_fill(1, barred, -torch.inf)
            # PyTorch's argmax over bfloat16 takes several times as long as over float32.
            words = logits.float().argmax(1) if method == "greedy" else draw(logits.softmax(1))
            kept = (words != EOS).nonzero().squeeze(1)
            state, z, words, going = state[kept], z[kept], words[kept], going[kept]
            for sentence, word in zip(going.tolist(), words.tolist(), strict=True):
                sentences[sentence].append(word)
            if not len(going):
                break
        return sentences
