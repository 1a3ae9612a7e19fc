"""The site's pages: how notebooks, papers, decks, words and the library become what Sphinx reads and a browser shows."""
