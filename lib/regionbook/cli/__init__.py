"""Commands behind ``workbook.py``; run one with ``python -m regionbook.cli COMMAND``."""
