"""Every traditional method by name. This is the one list.

Adding a method is its file in this folder and its line here; the tests of
`tests/classical/test_contract.py`, `--model classical:NAME`, the benchmark and the reference find
it by this line. Nothing heavy is imported before a method is used.
"""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.classical.atlas import Atlas
from heartseg.classical.chan_vese import ChanVese
from heartseg.classical.gmm import GaussianMixture
from heartseg.classical.graph_cut import GraphCut
from heartseg.classical.k_means import KMeans
from heartseg.classical.method import Method
from heartseg.classical.morphological_snake import MorphologicalSnake
from heartseg.classical.otsu import Otsu
from heartseg.classical.random_walker import RandomWalker
from heartseg.classical.region_growing import RegionGrowing
from heartseg.classical.snake import Snake
from heartseg.classical.watershed import Watershed

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "otsu": Otsu(),
        "k-means": KMeans(),
        "gaussian-mixture": GaussianMixture(),
        "region-growing": RegionGrowing(),
        "watershed": Watershed(),
        "snake": Snake(),
        "chan-vese": ChanVese(),
        "morphological-snake": MorphologicalSnake(),
        "random-walker": RandomWalker(),
        "graph-cut": GraphCut(),
        "atlas": Atlas(),
    }
)
"""By name, with the settings that were fixed on training patients."""
