"""Search in pages that mix English and Chinese.

Words are stemmed as English. A run of Han characters becomes pairs of neighbours (固定效应: 固定 定效 效应), in the index and,
by the same rule, in what a reader types; so a term is found without a dictionary that knows it.
"""

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.search import languages
from sphinx.search.en import SearchEnglish

HAN = r"\u3400-\u9fff"
SPLIT = """
function splitQuery(query) {
  const out = [];
  for (const word of query.split(/[^\\p{L}\\p{N}_]+/u)) {
    for (const run of word.match(/[\\u3400-\\u9fff]+|[^\\u3400-\\u9fff]+/gu) || []) {
      if (!/^[\\u3400-\\u9fff]/u.test(run) || run.length < 3) out.push(run);
      else for (let i = 0; i + 1 < run.length; i++) out.push(run.slice(i, i + 2));
    }
  }
  return out.filter((term) => term);
}
"""


class Bilingual(SearchEnglish):
    """English stems and pairs of Han characters."""

    lang = "bilingual"
    language_name = "English"  # names the stemmer in JavaScript
    js_splitter_code = SPLIT

    known: dict[str, str] = {}

    def stem(self, word: str) -> str:
        """Stem of a word; pages share a few thousand words."""
        if word not in self.known:
            self.known[word] = super().stem(word)
        return self.known[word]

    def split(self, text: str) -> list[str]:
        """Words of a text."""
        terms = []
        for word in super().split(text):
            for run in re.findall(f"[{HAN}]+|[^{HAN}]+", word):
                pairs = re.match(f"[{HAN}]{{3}}", run)
                terms += [run[i : i + 2] for i in range(len(run) - 1)] if pairs else [run]
        return terms

    def word_filter(self, word: str) -> bool:
        """Whether a word goes into the index."""
        return bool(re.match(f"[{HAN}]", word)) or super().word_filter(word)


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the language known to Sphinx."""
    languages["bilingual"] = Bilingual
    return {"parallel_read_safe": True, "parallel_write_safe": True}
