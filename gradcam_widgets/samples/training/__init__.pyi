from .dataset import SceneSpec as SceneSpec
from .dataset import draw_specs as draw_specs
