"""`make mutants`: which changes are made, which tests are chosen, and what counts as noticed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from dev.mutants.__main__ import Results, Sampled, report, sample, sources
from dev.mutants.mutations import mutants_of
from dev.mutants.tests import Coverage, stages

SOURCE = '''"""A module."""

from __future__ import annotations


def limit(value: int, *, most: int = 5) -> int:
    """Return at most `most`."""
    logger().info("limited", value=value)
    if value < most and not value == 7:
        return call(value, most, key=1)
    return most - 1
'''


def changes(source: str) -> set[str]:
    """Return what mutants put in place, each with its kind."""
    return {f"{each.kind}: {each.text}" for each in mutants_of(source)}


def test_each_kind_of_change_is_made() -> None:
    """Comparisons, boolean operators, arithmetic, constants, returns, statements, arguments and keywords."""
    assert {
        "comparison: (value <= most)",
        "comparison: (value != 7)",
        "boolean: (value < most or not value == 7)",
        "boolean: (value == 7)",
        "arithmetic: (most + 1)",
        "constant: 2",
        "constant: 6",
        "return: return None",
        "statement: pass",
        "arguments: call(most, value, key=1)",
        "keyword: call(value, most)",
    } <= changes(SOURCE)


def test_wording_is_left_alone() -> None:
    """Neither docstrings, annotations nor the texts of log lines are changed."""
    assert not any(each.startswith("constant: '") for each in changes(SOURCE))
    assert changes('x: "int"\n"""Text."""\nField(description="Text")\nraise Broken("Text")\n') == {"statement: pass"}


def test_a_mutant_differs_in_its_line_and_compiles() -> None:
    """Also behind letters that take several bytes; `diff` shows the line before and after."""
    source = 'name = "é" + f(1, "ü")\n'
    for mutant in mutants_of(source):
        assert ast.dump(ast.parse(mutant.apply(source))) != ast.dump(ast.parse(source))
        assert mutant.diff(source).splitlines()[0] == '-name = "é" + f(1, "ü")'


def test_every_core_module_can_be_changed() -> None:
    """Each sampled change is valid Python; the same seed draws the same sample, another one another."""
    modules = sources("ratelimit/")
    drawn = sample(modules, size=40, seed=7)
    assert [each.key for each in drawn] == [each.key for each in sample(modules, size=40, seed=7)]
    assert [each.key for each in drawn] != [each.key for each in sample(modules, size=40, seed=8)]
    assert len({(each.module, each.mutant.line) for each in drawn}) == 40
    for each in drawn:
        compile(each.source, each.module, "exec")


def test_a_lines_tests_are_those_that_reach_it() -> None:
    """Outside functions every test of the module counts, because the line runs at import."""
    known = Coverage(seconds={"a::1": 1.0, "b::1": 1.0})
    known.by_line["room/module.py", 7].add("a::1")
    known.by_module["room/module.py"] |= {"a::1", "b::1"}
    assert known.tests("room/module.py", range(6, 9), toplevel=False) == {"a::1"}
    assert known.tests("room/module.py", range(1, 2), toplevel=False) == set()
    assert known.tests("room/module.py", range(1, 2), toplevel=True) == {"a::1", "b::1"}


def test_many_quick_tests_come_first() -> None:
    """A mutant is most often noticed by the files that test its line most and take least time.

    Tests that take long are not run: a survivor would wait for all of them.
    """
    seconds = {"quick::1": 0.1, "quick::2": 0.1, "other::1": 3.0, "slow::1": 60.0}
    assert stages(set(seconds), seconds, 1) == [{"quick::1", "quick::2"}, {"other::1"}]
    assert stages(set(), seconds, 1) == []


def test_results_are_read_back_and_survivors_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was stopped goes on; the rate counts what has been tried."""
    source = "a = 1\nb = 2\nc = 3\n"
    drawn = [Sampled("room/module.py", source, mutant) for mutant in mutants_of(source)]
    results = Results.read(tmp_path / "results.jsonl")
    results.write(drawn[0].key, "tests/a.py::test")
    results.write(drawn[1].key, "")
    assert report(drawn, Results.read(tmp_path / "results.jsonl")) == 0.5
    shown = capsys.readouterr().out
    assert "room/module.py:2 survives (constant)\n-b = 2\n+b = 3" in shown
    assert "2 mutants in 1 modules: 50.0% killed" in shown
