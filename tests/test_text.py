"""The lines on a BERT in lesson 1b of `knowledge-flows`: they run where transformers is installed (it is in no lock)."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from regionbook.paths import ROOT, data_file

LESSON = ROOT / "chapters" / "04-knowledge-flows" / "1b-errors-and-time.md"


@pytest.fixture
def folder(tmp_path):
    """A tiny BERT with random weights and the characters of the abstracts."""
    pytest.importorskip("torch")
    pytest.importorskip("accelerate")
    transformers = pytest.importorskip("transformers")
    patents = pd.read_parquet(data_file("teaching", "knowledge-flows.patents.parquet"))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set("".join(patents["abstract"])))]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = transformers.BertConfig(vocab_size=len(words), max_position_embeddings=256, **sizes)
    transformers.set_seed(1)
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    return tmp_path


def test_the_lines_of_the_lesson_learn(folder, tmp_path, monkeypatch):
    (lines,) = re.findall(r"^> ```python\n(.*?)^> ```", LESSON.read_text(encoding="utf-8"), re.M | re.S)
    lines = re.sub(r"^> ?", "", lines, flags=re.M).replace("/path/to/bert-base-chinese", str(folder))
    lines = lines.replace("3e-5", "2e-3").replace(
        "num_train_epochs=3", "num_train_epochs=4"
    )  # it has read nothing
    patents = pd.read_parquet(data_file("teaching", "knowledge-flows.patents.parquet")).query(
        "case == 'plain'"
    )
    patents = patents.sample(400, random_state=1)
    here = {"read": patents[:300], "rest": patents[300:].copy(), "np": np}
    monkeypatch.chdir(tmp_path)
    exec(lines, here)
    rest = here["rest"]
    assert rest["p"].between(0, 1).all() and ((rest["p"] > 0.5) == rest["digital"]).mean() > 0.9
    assert (tmp_path / "digital-patents-bert" / "config.json").is_file()
