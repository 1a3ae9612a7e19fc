"""A BERT from disk: clear refusals always; training where torch and transformers are installed (they are in no lock)."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import regionbook as rb
from regionbook import text


def test_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match=r'torch is not installed.*pip install "torch>=2.4"'):
        text.Bert(tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (None, "missing: the folder itself"),
        ([], "missing: config.json; vocab.txt or tokenizer.json; model.safetensors or"),
        (["config.json", "vocab.txt"], "missing: model.safetensors or pytorch_model.bin"),
    ],
)
def test_says_which_files_are_needed(monkeypatch, tmp_path, files, words):
    monkeypatch.setattr(text, "_libraries", lambda: (None, None))
    for name in files or []:
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match=words):
        text.Bert(tmp_path if files is not None else tmp_path / "nowhere")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny BERT with random weights and the characters of some abstracts."""
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    place = tmp_path_factory.mktemp("bert")
    patents = rb.load("knowledge-flows", table="patents")
    letters = sorted(set("".join(patents["abstract"])))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    (place / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=128,
    )  # fmt: skip
    transformers.set_seed(1)
    transformers.BertForSequenceClassification(config).save_pretrained(place)
    transformers.BertTokenizer(str(place / "vocab.txt")).save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def patents():
    frame = rb.load("knowledge-flows", table="patents").query("case == 'plain'")
    return frame.sample(400, random_state=1)


def test_learns_repeats_and_comes_back(folder, patents, tmp_path):
    train, rest = patents[:300], patents[300:]
    how = {"epochs": 4, "rate": 2e-3, "length": 120}
    model = rb.text.Bert(folder, **how).fit(train["abstract"], train["digital"])
    p = model.predict_proba(rest["abstract"])
    assert p.shape == (100, 2) and np.allclose(p.sum(1), 1)
    assert (model.predict(rest["abstract"]) == rest["digital"]).mean() > 0.9
    again = rb.text.Bert(folder, **how).fit(train["abstract"], train["digital"])
    assert np.allclose(again.predict_proba(rest["abstract"]), p, atol=1e-5)
    model.save(tmp_path)
    assert np.allclose(text.Bert(tmp_path, length=120).predict_proba(rest["abstract"]), p, atol=1e-5)
    assert np.allclose(model.predict_proba(rest["abstract"][::-1])[::-1], p, atol=1e-5)


def test_knows_every_character(folder, patents):
    model = text.Bert(folder)
    one = model._tokens([patents["abstract"].iloc[0]])["input_ids"][0]
    assert len(one) == len(patents["abstract"].iloc[0]) + 2
    assert model._tokenizer.unk_token_id not in one


@pytest.mark.parametrize(
    ("texts", "labels", "words"),
    [
        (["a", "b"], [1], "2 texts and 1 labels"),
        (["a", "b"], [1, 1], "both of them"),
        (["a", "b"], [1, 2], "0 and 1"),
    ],
)
def test_bad_labels(folder, texts, labels, words):
    with pytest.raises(ValueError, match=words):
        text.Bert(folder).fit(texts, labels)
