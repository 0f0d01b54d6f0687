from .heatmap_view import HeatmapView as HeatmapView
from .page import write_page as write_page
