"""The store makes each result once, whole or not at all."""

import os
import time
from pathlib import Path

import pytest

from triodia.lab.store import Store, Unknown, digest


class TestStore:
    def test_made_once(self, tmp_path):
        store, calls = Store(tmp_path), []

        def work(folder):
            calls.append(folder)
            (folder / "file").write_text("content")
            return {"value": (1, 2)}

        first, second = (store.make("kind", {"a": 1}, work) for _ in range(2))
        assert len(calls) == 1 and not calls[0].exists()
        assert first["value"] == second["value"] == [1, 2]
        assert (first["cached"], second["cached"]) == (False, True)
        assert (Path(first["folder"]) / "file").read_text() == "content"
        assert store.make("kind", {"a": 2}, work)["folder"] != first["folder"]

    def test_nothing_of_what_failed(self, tmp_path):
        def work(folder):
            (folder / "half").write_text("")
            raise RuntimeError("stop")

        with pytest.raises(RuntimeError):
            Store(tmp_path).make("kind", {}, work)
        assert list((tmp_path / "kind").iterdir()) == []

    @pytest.mark.parametrize("damage", ["", "{", "[]", '{"inputs": {"a": 2}, "result": {}}'])
    def test_damaged_is_made_again(self, tmp_path, damage):
        store = Store(tmp_path)
        made = store.make("kind", {"a": 1}, lambda _: {"value": 1})
        (Path(made["folder"]) / "result.json").write_text(damage)
        again = store.make("kind", {"a": 1}, lambda _: {"value": 2})
        assert again["value"] == 2 and not again["cached"]
        assert store.known("kind", {"a": 1}) == {"value": 2}

    def test_who_is_first_stays(self, tmp_path):
        store = Store(tmp_path)

        def work(folder):
            store.make("kind", {}, lambda _: {"value": "first"})
            return {"value": "second"}

        assert store.make("kind", {}, work)["value"] == "first"

    def test_reader(self, tmp_path):
        store = Store(tmp_path)
        with pytest.raises(Unknown):
            store.reader().make("kind", {}, lambda _: {})
        store.make("kind", {}, lambda _: {"value": 1})
        assert store.reader().make("kind", {}, lambda _: {})["value"] == 1

    def test_leftovers_of_the_dead(self, tmp_path):
        old, new = tmp_path / "kind" / "making-1", tmp_path / "kind" / "making-2"
        for folder in (old, new):
            folder.mkdir(parents=True)
        os.utime(old, (1, 1))
        Store(tmp_path).clean()
        assert not old.exists() and new.exists()

    def test_digests(self):
        assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1})

    def test_seconds_are_those_of_the_first_run(self, tmp_path):
        first = Store(tmp_path).make("kind", {}, lambda _: time.sleep(0.3) or {})
        again = Store(tmp_path).make("kind", {}, lambda _: 1 / 0)
        assert again["seconds"] == first["seconds"] >= 0.3
        assert again["commit"] == first["commit"]
