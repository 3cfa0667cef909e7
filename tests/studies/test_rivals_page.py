"""The published results of the rivals, as table and picture of the docs."""

import json
import re
import shutil
import sys
from pathlib import Path

from triodia_studies import rivals_page
from triodia_studies.rivals import METHODS, TASKS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def results():
    return json.loads((DOCS / "rivals.json").read_text())


def test_page_and_picture_show_the_published_results():
    page = (DOCS / "pruning.md").read_text()
    assert f"<!-- rivals -->\n{rivals_page.table(results())}\n<!-- end -->" in page
    drawn = rivals_page.picture(results())
    assert drawn == (DOCS / "pictures" / "rivals.svg").read_text()


def test_published_verdicts_follow_from_their_intervals():
    for row in results():
        assert row["seeds"] >= 5
        if row["method"] != "random" and abs(abs(row["over_random"]) - row["interval"]) > 0.001:
            assert row["counts"] == (abs(row["over_random"]) > row["interval"]), row


def test_new_rows_replace_those_of_their_tasks(tmp_path, monkeypatch):
    page = tmp_path / "pruning.md"
    shutil.copy(DOCS / "pruning.md", page)
    shutil.copy(DOCS / "rivals.json", tmp_path)
    (tmp_path / "pictures").mkdir()
    new = [{"task": TASKS[1], "method": "lnp", "seeds": 5, "accuracy": 0.5}]
    new[0] |= {"over_random": -0.25, "interval": 0.125, "counts": True}
    (tmp_path / "rows.json").write_text(json.dumps({"study": "rivals", "rows": new}))
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path / "rows.json"), "--page", str(page)])
    rivals_page.main()
    shown = re.search(r"<!-- rivals -->\n(.*?)<!-- end -->", page.read_text(), re.DOTALL)[1]
    line = next(row for row in shown.splitlines() if row.startswith("| lnp |"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[2] == "**50.0 (−25.0 ± 12.5)**" and cells[1] != cells[2]
    kept = json.loads((tmp_path / "rivals.json").read_text())
    assert [row for row in kept if row["task"] == TASKS[1]] == new
    assert sum(row["task"] == TASKS[0] for row in kept) == len(METHODS)
    assert "<svg" in (tmp_path / "pictures" / "rivals.svg").read_text()
