"""Answers to the exercises of Zhao, Jiang and Xu (2026): one module a lesson."""
