"""Grading: a student's cells run in a sandbox, the verdict is given outside of it, results are kept one file a sheet."""
