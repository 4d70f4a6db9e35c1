"""Models are loaded beside other work, once; what is wrong with one is heard when it is due."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from heartseg.choice import Models
from heartseg.core.errors import ModelError
from heartseg.given import GivenLabels
from heartseg.pipeline import Settings, likely_models


class Slow(Models):
    """A model that is ready when somebody says so."""

    def __init__(self, meanwhile) -> None:
        super().__init__("cpu", 1, meanwhile)
        self.may_end, self.loaded = Event(), []

    def _loaded(self, name):
        assert self.may_end.wait(60)
        self.loaded.append(name)
        return name, name


def test_time_to_wait_is_used_and_a_model_is_loaded_once():
    used = []

    def meanwhile() -> None:
        used.append("time")
        models.may_end.set()

    models = Slow(meanwhile)
    models.begin(["one", "one"])
    assert models.ready("one") == ("one", "one")
    assert used == ["time"]
    models.begin(["one"])
    assert models.ready("one") == ("one", "one")
    assert models.loaded == ["one"]
    assert used == ["time"] * 2, "whoever spends it knows what is done already"


def test_what_is_wrong_with_a_model_is_said_to_who_wants_it_and_to_nobody_else():
    models = Models("cpu", 1)
    models.begin(["no such model"])
    bundle, _ = models.ready("cine-mr")
    assert bundle.name == "cine-mr"
    for _ in range(2):
        with pytest.raises(ModelError, match="no such model"):
            models.ready("no such model")


def test_two_threads_import_the_engine_once_and_whole():
    from heartseg.segment.openvino_runtime import import_openvino

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(lambda: import_openvino().Core) for _ in range(2)]
        assert both[0].result() is both[1].result()


def test_no_model_is_made_ready_for_labels_or_a_traditional_method(tmp_path):
    assert likely_models(Settings()) == ("cine-mr",)
    assert likely_models(Settings(model="mine")) == ("mine",)
    assert likely_models(Settings(given=GivenLabels(tmp_path, "acdc"))) == ()
    assert likely_models(Settings(model="classical:otsu")) == ()
