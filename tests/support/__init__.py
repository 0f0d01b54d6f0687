"""Shared helpers: models, lessons in watched kernels, mutations, and emulation of other machines."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
