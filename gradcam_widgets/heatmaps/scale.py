"""Shared scales of several heatmaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcam_widgets.errors import GradCAMError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcam_widgets.heatmaps.display import Evidence
    from gradcam_widgets.heatmaps.heatmap import Heatmap


def shared_vmax(heatmaps: Sequence[Heatmap], evidence: Evidence = "for") -> float:
    """Return the upper end of a scale, in raw units, on which equal colors of several heatmaps mean equal evidence.

    Raises:
        GradCAMError: If there are no heatmaps.
    """
    if not heatmaps:
        raise GradCAMError("heatmaps must contain at least one heatmap, got none.")
    return max(heatmap.vmax(evidence) for heatmap in heatmaps)
