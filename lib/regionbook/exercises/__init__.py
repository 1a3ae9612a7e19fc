"""Exercises: generated from solutions, checked while a student works, graded when handed in."""
