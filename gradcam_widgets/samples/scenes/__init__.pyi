from .classes import CATEGORIES as CATEGORIES
from .classes import HABITATS as HABITATS
from .scene import Scene as Scene
from .scene import Thing as Thing
from .scene import render as render
