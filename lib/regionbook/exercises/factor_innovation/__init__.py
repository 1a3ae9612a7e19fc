"""Answers to the exercises of Wang and Xu (2025): one module a lesson."""
