from .classifier import Classifier as Classifier
from .loading import classifier_names as classifier_names
from .loading import load_classifier as load_classifier
from .loading import skeleton as skeleton
from .loading import weights_at_hand as weights_at_hand
from .preprocessing import Preprocessing as Preprocessing
