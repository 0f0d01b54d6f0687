"""Classes of the scenes, and the habitats they share."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CLASS_NAMES = (
    "submarine", "aircraft carrier", "African elephant", "Indian elephant", "tusker", "gazelle", "common iguana",
    "American alligator",
)  # fmt: skip
SEA, SAVANNA, RIVERBANK = CLASS_NAMES[:2], CLASS_NAMES[2:6], CLASS_NAMES[6:]
IGUANA, ALLIGATOR = RIVERBANK
HABITATS: Mapping[str, tuple[str, ...]] = MappingProxyType({"sea": SEA, "savanna": SAVANNA, "riverbank": RIVERBANK})
PHOTOGRAPHER = "photographer"
