from .weights import load_scene_classifier as load_scene_classifier
from .weights import read_manifest as read_manifest
