"""Answers to the exercises of Tang, Cai and Wang (2026): one module a lesson."""
