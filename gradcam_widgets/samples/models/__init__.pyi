from .weights import load_scene_classifier as load_scene_classifier
