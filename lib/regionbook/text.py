"""A text classifier on a BERT from your own disk, with the two methods that lessons use of scikit-learn's classifiers.

Needs torch and transformers (the extra ``bert``), which are large and not installed with the workbook. Nothing is
downloaded: the model comes from a folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

NEEDED = (
    ("config.json",),
    ("vocab.txt", "tokenizer.json"),
    ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json"),
)


class Bert:
    """Fine-tune a pre-trained BERT to tell two kinds of texts apart.

    On top of the model's vector of the whole text, the token ``[CLS]``, stands one linear layer; all weights are trained
    on the cross-entropy of the labels (Devlin, Chang, Lee and Toutanova 2019).

    Parameters
    ----------
    folder
        A model in the format of transformers: ``config.json``, ``vocab.txt`` or ``tokenizer.json``, and
        ``model.safetensors`` or ``pytorch_model.bin``; a copy of ``bert-base-chinese``, say, or what `save` wrote.
    epochs
        How often the training texts are gone through.
    batch
        Texts in one step.
    rate
        Step size at the start; it falls to zero in a straight line.
    length
        Tokens (Chinese: characters) after which a text is cut.
    seed
        Of the order of the texts, the new layer and dropout.

    Raises
    ------
    ModuleNotFoundError
        If torch or transformers is not installed; says what to install.
    FileNotFoundError
        If the folder or one of its files is not there; says which files are needed.

    References
    ----------
    Devlin, J., Chang, M.-W., Lee, K. and Toutanova, K. (2019). BERT: Pre-training of deep bidirectional transformers for
    language understanding. *NAACL-HLT*, 4171-4186.

    Examples
    --------
    >>> model = Bert("bert-base-chinese", epochs=3)  # doctest: +SKIP
    >>> probability = model.fit(texts, labels).predict_proba(new_texts)[:, 1]  # doctest: +SKIP
    """

    def __init__(
        self, folder: str | Path, *, epochs: int = 3, batch: int = 16, rate: float = 3e-5, length: int = 256, seed: int = 1
    ):  # fmt: skip
        self.folder = Path(folder).expanduser()
        self.epochs, self.batch, self.rate, self.length, self.seed = epochs, batch, rate, length, seed
        self._torch, transformers = _libraries()
        _complete(self.folder)
        self._torch.manual_seed(seed)
        transformers.logging.set_verbosity_error()
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(str(self.folder), local_files_only=True)
        kind = transformers.AutoModelForSequenceClassification
        self._model = kind.from_pretrained(str(self.folder), num_labels=2, local_files_only=True)
        self._device = "cuda" if self._torch.cuda.is_available() else "cpu"
        self._model.to(self._device)

    def fit(self, texts: Sequence[str], labels: Sequence[int]) -> Bert:
        """Train on texts and their labels, 0 or 1.

        Raises
        ------
        ValueError
            If texts and labels differ in number, or the labels are not 0 and 1, both of them.
        """
        texts, target = list(texts), np.asarray(labels)
        if len(texts) != len(target):
            raise ValueError(f"{len(texts)} texts and {len(target)} labels: give one label for each text.")
        if set(np.unique(target).tolist()) != {0, 1}:
            raise ValueError(f"labels have to be 0 and 1, both; they are {np.unique(target).tolist()}.")
        torch = self._torch
        torch.manual_seed(self.seed)
        r = np.random.default_rng(self.seed)
        optimiser = torch.optim.AdamW(self._model.parameters(), lr=self.rate, weight_decay=0.01)
        steps = self.epochs * -(-len(texts) // self.batch)
        slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=steps)
        self._model.train()
        for _ in range(self.epochs):
            order = r.permutation(len(texts))
            for start in range(0, len(order), self.batch):
                at = order[start : start + self.batch]
                truth = torch.tensor(target[at].astype(int), device=self._device)
                loss = self._model(**self._tokens([texts[i] for i in at]), labels=truth).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
                optimiser.step()
                slower.step()
                optimiser.zero_grad()
        self._model.eval()
        return self

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities of 0 and 1, an array (texts, 2), in the order of the texts."""
        texts = list(texts)
        out = np.zeros((len(texts), 2))
        self._model.eval()
        with self._torch.no_grad():
            for start in range(0, len(texts), self.batch):
                some = texts[start : start + self.batch]
                logits = self._model(**self._tokens(some)).logits
                out[start : start + len(some)] = self._torch.softmax(logits, 1).cpu().numpy()
        return out

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """0 or 1 for each text: 1 where its probability exceeds one half."""
        return (self.predict_proba(texts)[:, 1] > 0.5).astype(int)

    def save(self, folder: str | Path) -> None:
        """Write model and vocabulary to a folder from which `Bert` reads them again."""
        self._model.save_pretrained(str(folder))
        self._tokenizer.save_pretrained(str(folder))

    def _tokens(self, texts: list[str]) -> Any:
        how = {"padding": True, "truncation": True, "max_length": self.length, "return_tensors": "pt"}
        return self._tokenizer(texts, **how).to(self._device)


def _libraries() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"A BERT needs torch and transformers, and {error.name} is not installed; they are large and do not come with "
            'the workbook. In its environment run: python -m pip install "torch>=2.4" "transformers>=4.45". Without them '
            "use the classifier of characters of the lesson.",
            name=error.name,
        ) from error
    return torch, transformers


def _complete(folder: Path) -> None:
    if not folder.is_dir():
        lacking = ["the folder itself"]
    else:
        lacking = [" or ".join(names) for names in NEEDED if not any((folder / n).is_file() for n in names)]
    if lacking:
        raise FileNotFoundError(
            f"{folder} is no folder with a BERT; missing: {'; '.join(lacking)}. Needed are config.json, vocab.txt or "
            "tokenizer.json, and model.safetensors or pytorch_model.bin, as in a copy of bert-base-chinese. Nothing is "
            "downloaded for you."
        )
