"""`tgrad sweep`: one program for every combination of its parameters' values."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, environment

PROGRAM = """\
# Adds.
param a: float = 1.0  # the first
param b: int = 2
param name: str = "x"
param loud: bool = False
assert b < 9, "b is too large"
print("begin")
print(name, a + b, loud)
"""

TABLE = """\
  a  b   time  shown last
0.5  2  X.X s  x 2.5 False
0.5  9  X.X s  AssertionError: b is too large (line 6)
1.0  2  X.X s  x 3.0 False
1.0  9  X.X s  AssertionError: b is too large (line 6)
"""


@pytest.fixture
def sweep(tgrad, write):
    """Runs `tgrad sweep add.tg WORDS`."""
    write("add.tg", PROGRAM)
    return lambda *words, **extra: tgrad("sweep", "add.tg", *words, **extra)


def without_times(text):
    return "\n".join(
        " ".join(["X.X s" if cell.endswith(" s") else cell for cell in line.split("  ")])
        for line in text.splitlines()
    )


def results(folder, name="add.sweep.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def test_table_has_a_line_for_each_combination(sweep, tmp_path):
    run = sweep("--a", "0.5,1", "--b=2,9")
    assert without_times(run.out) == without_times(TABLE)
    assert (run.err, run.code) == ("tgrad: 2 of 4 runs failed\n", 1)
    head, *lines = results(tmp_path)
    assert (head["kind"], head["program"]) == ("sweep", "add.tg")
    assert sorted((each["parameters"]["a"], each["parameters"]["b"]) for each in lines) == [
        (0.5, 2), (0.5, 9), (1.0, 2), (1.0, 9),
    ]  # fmt: skip
    failed = next(each for each in lines if each["parameters"] == {"a": 1.0, "b": 9})
    assert failed["exit_code"] == 4
    assert failed["error"] == {"type": "AssertionError", "message": "b is too large", "line": 6}
    assert failed["shown"] == ""


def test_json_lines_are_those_of_the_file(sweep, tmp_path):
    run = sweep("--a", "1,2,3", "--json", "--jobs", "2")
    assert run.code == 0
    assert [json.loads(line) for line in run.out.splitlines()] == results(tmp_path)[1:]
    assert sorted(each["shown"] for each in results(tmp_path)[1:]) == [
        "x 3.0 False", "x 4.0 False", "x 5.0 False",
    ]  # fmt: skip


def test_results_are_not_overwritten(sweep, tmp_path):
    sweep("--a", "1")
    before = (tmp_path / "add.sweep.jsonl").read_text()
    run = sweep("--a", "2")
    assert (run.out, run.code) == ("", 2)
    assert run.err == (
        "tgrad: add.sweep.jsonl holds results: --resume goes on with them, --force overwrites them, "
        "--into PATH writes elsewhere\n"
    )
    assert (tmp_path / "add.sweep.jsonl").read_text() == before
    assert sweep("--a", "2", "--force").code == 0
    assert [each["parameters"] for each in results(tmp_path)[1:]] == [{"a": 2.0}]
    assert sweep("--a", "3", "--into", "other.jsonl").code == 0
    assert [each["parameters"] for each in results(tmp_path, "other.jsonl")[1:]] == [{"a": 3.0}]


def test_resume_runs_what_is_missing_or_failed(sweep, tmp_path):
    path = tmp_path / "add.sweep.jsonl"
    sweep("--a", "1,2", "--b", "2,9")
    lines = path.read_text().splitlines()
    marked = [line.replace("x 3.0", "kept") for line in lines if '"a": 2.0, "b": 2' not in line]
    path.write_text("\n".join([*marked, lines[-1][:20]]))  # the last line was cut off
    run = sweep("--a", "1,2,3", "--b", "2,9", "--resume")
    assert run.code == 1
    shown = [line.partition(" s  ")[2] for line in run.out.splitlines()[1:]]
    error = "AssertionError: b is too large (line 6)"
    assert shown == ["kept False", error, "x 4.0 False", error, "x 5.0 False", error]
    assert len(results(tmp_path)) == 7


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "1"], "holds results of runs with no options: --resume needs the same"),
        (
            [],
            "holds results of another text of add.tg: --force overwrites them, --into PATH writes elsewhere",
        ),
    ],
)
def test_resume_refuses_what_does_not_belong_together(sweep, write, words, message):
    sweep("--a", "1")
    if not words:
        write("add.tg", PROGRAM + "print(1)\n")
    run = sweep("--a", "1", "--resume", *words)
    assert (run.err, run.code) == (f"tgrad: add.sweep.jsonl {message}\n", 2)


def test_resume_refuses_another_kind_of_file(sweep, write):
    write("notes.jsonl", '{"mine": 1}\n')
    run = sweep("--into", "notes.jsonl", "--resume")
    assert (run.err, run.code) == ("tgrad: notes.jsonl isn't a file of results of tgrad sweep\n", 2)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], ["x 3.0 False"]),
        (["--name", r"a\,b,c d"], ["a,b 3.0 False", "c d 3.0 False"]),
        (["--loud", "true,false"], ["x 3.0 True", "x 3.0 False"]),
        (["--loud", "--a=2"], ["x 4.0 True"]),
        (["--no-loud", "--a", "-2,1e1"], ["x 0.0 False", "x 12.0 False"]),
        (["--a", "1,1.0,2"], ["x 3.0 False", "x 4.0 False"]),
        (["--a", "nan"], ["x nan False"]),
        (["--name="], ["3.0 False"]),
    ],
)
def test_values(sweep, words, shown):
    run = sweep(*words)
    assert run.code == 0
    assert [line.partition(" s  ")[2] for line in run.out.splitlines()[1:]] == shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--bb", "1"], "add.tg: unknown parameter --bb: did you mean --b?"),
        (["--resum"], "add.tg: unknown parameter --resum: did you mean --resume?"),
        (["--b", "1,x"], "add.tg: --b takes an int, not 'x'"),
        (["--b", "1,"], "add.tg: --b takes an int, not ''"),
        (["--a"], "add.tg: --a needs a value of type float"),
        (["1"], "add.tg: unexpected argument '1': write --name value,value"),
        (["--jobs", "0"], "--jobs takes a number above 0, not '0'"),
        (["--jobs"], "--jobs needs a value"),
        (["--into", "no/such/folder"], "can't write no/such/folder: No such file or directory"),
    ],
)
def test_words_that_do_not_fit(sweep, words, message, tmp_path):
    run = sweep(*words)
    assert (run.out, run.last, run.code) == ("", f"tgrad: {message}", 2)
    assert not (tmp_path / "add.sweep.jsonl").exists()


def test_a_sweep_needs_a_file(tgrad):
    sentence = "tgrad: sweep runs a file: tgrad sweep FILE --parameter value,value ...\n"
    for words in ([], ["-"], ["-c", "1"]):
        run = tgrad("sweep", *words)
        assert (run.out, run.err, run.code) == ("", sentence, 2)
    assert tgrad("sweep", "--help").out.startswith("usage: tgrad sweep ")


def test_program_with_a_syntax_error_is_not_run(tgrad, write):
    write("wrong.tg", "print(1\n")
    assert tgrad("sweep", "wrong.tg").code == 3


def test_parameters_come_before_options_of_the_same_name(tgrad, write):
    write("jobs.tg", "param jobs: int\nprint(jobs)\n")
    run = tgrad("sweep", "--jobs", "1", "jobs.tg", "--jobs", "3,4")
    assert [line.partition(" s  ")[2] for line in run.out.splitlines()[1:]] == ["3", "4"]
    run = tgrad("sweep", "jobs.tg")
    assert (run.last, run.code) == ("tgrad: jobs.tg: --jobs must be given: it has no default", 2)


def test_options_reach_the_runs(sweep, tgrad, write):
    write("random.tg", "param n: int = 1\nprint(torch.rand(n).sum().item())\n")
    expected = tgrad("--seed", "3", "random.tg", "--n", "2").out.strip()
    for words in (["--seed", "3", "sweep"], ["sweep", "--seed", "3"]):
        run = tgrad(*words, "random.tg", "--n", "2", "--force")
        assert run.out.splitlines()[1].endswith(f" s  {expected}")
    run = sweep("--step-limit", "2")
    assert run.out.splitlines()[1].endswith("LimitReached: step limit of 2 reached (line 3)")


def test_interrupted_sweep_keeps_what_is_done(write, tmp_path):
    write("wait.tg", "param n: int\nprint(n)\nwhile n > 1: pass\n")
    words = ["sweep", "wait.tg", "--n", "1,2", "--jobs", "2"]
    process = subprocess.Popen(
        [*COMMAND, *words], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    )
    path = tmp_path / "wait.sweep.jsonl"
    deadline = time.monotonic() + 50
    while not (path.exists() and path.read_text().count("\n") == 2):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=30)
    assert complaint == "KeyboardInterrupt: 1 of 2 runs are done; --resume goes on\n"
    assert process.returncode == 130
    assert [each["parameters"] for each in results(tmp_path, path.name)[1:]] == [{"n": 1}]
    assert not any(b"wait.tg" in path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))
