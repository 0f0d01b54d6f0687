"""Scales that several maps share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcam_widgets.errors import GradCAMError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcam_widgets.heatmaps.display import Evidence
    from gradcam_widgets.heatmaps.heatmap import Heatmap


def shared_vmax(heatmaps: Sequence[Heatmap], evidence: Evidence = "for") -> float:
    """Return one upper end of scale for several maps, so that equal colors mean equal evidence.

    Raises:
        GradCAMError: If there is no map.
    """
    if not heatmaps:
        raise GradCAMError("A shared scale needs at least one map, and none was given.")
    return max(heatmap.vmax(evidence) for heatmap in heatmaps)
