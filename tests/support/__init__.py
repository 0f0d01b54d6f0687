"""What several tests share: models, lessons in watched kernels, mutations, machines played on this one."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
