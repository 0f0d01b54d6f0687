from .heatmap_view import HeatmapView as HeatmapView
from .page import export_page as export_page
