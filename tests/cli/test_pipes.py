"""Streams: broken pipes, interrupts, output that arrives in time, colours."""

import os
import signal
import subprocess

import pytest
from conftest import COMMAND, environment


def start(*words: str, **streams) -> subprocess.Popen:
    return subprocess.Popen([*COMMAND, *words], env=environment(), **streams)


def test_reader_that_leaves_ends_the_program_quietly():
    program = (
        "i = 0\nwhile True:\n    try:\n        print(i)\n    except:\n        pass\n    i = i + 1"
    )
    with start("-c", program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_head_in_a_shell(tmp_path):
    (tmp_path / "a.tg").write_text("for i in range(1000000):\n    print(i)\n")
    line = f"{' '.join(COMMAND)} a.tg | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], env=environment(), cwd=tmp_path, capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"0\n141\n", b"")


@pytest.mark.parametrize("options", [[], ["--time-limit", "50"]])
def test_interrupt_says_which_line_was_running(options):
    program = "i = 0\nwhile True: i = i + 1 if i else print('go') or 1"
    with start(*options, "-c", program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"go\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (out, err) == (b"", b"KeyboardInterrupt: interrupted at <command>:2\n")
    assert process.returncode == 130


def test_reader_sees_output_when_it_is_written():
    program = "print('first')\nprint('second', end='')\nwhile True: pass"
    with start("-c", program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"first\n"
        assert process.stdout.read(6) == b"second"
        process.kill()


def test_full_device_is_an_error(tgrad):
    if not os.path.exists("/dev/full"):
        pytest.skip("the system has no /dev/full")
    for program in ("print(1)", "print(1, end='')"):
        with (
            open("/dev/full", "wb") as full,
            start("-c", program, stdout=full, stderr=subprocess.PIPE) as process,
        ):
            error = process.stderr.read().decode()
        assert process.returncode == 1
        assert error.splitlines()[-1] == "OSError: [Errno 28] No space left on device"


def test_piped_run_imports_nothing_of_the_terminal(tgrad):
    code = (
        "import sys; from tgrad.cli import main; main(['-c', '1+1; 1/0']); "
        "print(sorted({'rich', 'prompt_toolkit', 'matplotlib', 'lark'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [COMMAND[0], "-c", code], env=environment(), capture_output=True, check=True
    )
    assert done.stdout == b"2\n[]\n"


PLAIN = """
import math
def f(n): return 1 if n < 2 else n * f(n - 1)
words = "a b".split()
words.append(f"{math.pi:.2f}")
for i in range(3): words.append(i)
print(words, f(5), {**{}}, sorted(words, key=str), "{}".format(1))
"""


@pytest.mark.parametrize("program", ["1+1", PLAIN])
def test_a_program_without_tensors_loads_no_operators(program):
    code = (
        f"import sys; from tgrad.cli import main; main(['-c', {program!r}]); "
        "index = {'tgrad.ops', 'tgrad.ops.rows', 'tgrad.ops.row_index'}; "
        "loaded = {name for name in sys.modules if name.startswith(('numpy', 'tgrad.ops'))}; "
        "print(sorted(loaded - index))"
    )
    done = subprocess.run(
        [COMMAND[0], "-c", code], env=environment(), capture_output=True, check=True
    )
    assert done.stdout.endswith(b"\n[]\n")


def test_help_imports_neither_numpy_nor_lark_nor_rich():
    code = (
        "import sys; from tgrad.cli import main; main(['--help']); "
        "print(sorted({'numpy', 'lark', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [COMMAND[0], "-c", code], env=environment(), capture_output=True, check=True
    )
    assert done.stdout.endswith(b"\n[]\n")


@pytest.mark.parametrize(
    ("words", "variables", "colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color=never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colors_of_a_piped_error(tgrad, words, variables, colored):
    run = tgrad(*words, "-c", "1\n1/0", **variables)
    assert run.out == "1\n"
    assert ("\x1b[" in run.err) is colored


@pytest.mark.parametrize(("term", "colored"), [("xterm-256color", True), ("dumb", False)])
def test_colors_on_a_terminal_are_each_streams_own(term, colored):
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "-c", "1\n1/0"],
        env=environment(TERM=term),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=follower,
    )
    os.close(follower)
    with process, open(leader, "rb", buffering=0) as terminal:
        assert process.stdout.read() == b"1\n"
        drawn = terminal.read(4096)
    assert (b"\x1b[" in drawn) is colored


def test_warning_is_one_line_for_each_place(tgrad):
    program = (
        "x = torch.ones(2, requires_grad=True)\ny = x * 2\nfor i in range(3):\n    y.grad\ny.grad\n"
    )
    lines = tgrad("-c", program).err.splitlines()
    start = "UserWarning: The .grad attribute of a Tensor that is not a leaf Tensor"
    assert [line[: line.index("UserWarning")] for line in lines] == [
        "<command>:4: ",
        "<command>:5: ",
    ]
    assert all(start in line for line in lines)


def test_warnings_of_the_programs_own(tgrad, write):
    program = (
        "import warnings\nfor i in range(3): warnings.warn('one\\ntwo')\n"
        "warnings.warn('old', DeprecationWarning)\n"
        "with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n"
        "    warnings.warn('unseen')\nwarnings.simplefilter('error')\nwarnings.warn('raised')\n"
    )
    run = tgrad(write("a.tg", program))
    assert run.err.splitlines()[:2] == [
        "a.tg:2: UserWarning: one two",
        "a.tg:3: DeprecationWarning: old",
    ]
    assert (run.last, run.code) == ("UserWarning: raised", 1)
