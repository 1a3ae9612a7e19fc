"""Answers to the exercises of Ma, Zhang and Hu (2025): one module a lesson."""
