from .classes import CLASS_NAMES as CLASS_NAMES
from .classes import HABITATS as HABITATS
from .scene import Scene as Scene
from .scene import SceneObject as SceneObject
from .scene import render as render
