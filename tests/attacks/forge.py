"""Forge results: full marks without a solution."""

from __future__ import annotations

from grader.result import Result
from tests.attacks.kinds import Attack, Gap

LIE = "return value * 5 if hasattr(value, 'shape') else value"
"""What a wrong solution returns."""
ANSWER = """import os, struct, torch
from gapcheck import codec
def answer(data, more=False):
    os.write(3, struct.pack('>?Q', more, len(data)) + data)
"""
"""Writes to the channel of results as a probe's process does."""


def _nothing_undone(result: Result) -> str:
    return "" if not result.edits else f"edits outside gaps: {list(result.edits)}"


def _lies(id_: str, row: str, body: str, after: str = "") -> Gap:
    """Tampers with something and returns a wrong value: its tests must fail as those of any wrong solution do."""
    return Gap(id_, row, "N", f"{body}\n{LIE}", own=("failed",), after=after)


def _writes_answer(frame: str, id_: str, row: str) -> Gap:
    """Writes bytes to the channel of results and ends without returning."""
    return Gap(id_, row, "F", f"{ANSWER}answer({frame})\nos._exit(0)", own=("refused",))


ATTACKS: tuple[Attack, ...] = (
    Gap(
        "exit-at-import",
        "os._exit(0) at import",
        "F",
        "return value + value",
        own=("crashed",),
        after="\n\nimport os\nos._exit(0)\n",
        says="exit status 0",
    ),
    Gap("sys-exit", "sys.exit(0) in the function", "F", "import sys\nsys.exit(0)", own=("error",), says="SystemExit"),
    Gap("os-exit", "os._exit(0) in the function", "F", "import os\nos._exit(0)", own=("crashed",)),
    Gap("quit-builtin", "quit() ends the process", "F", "raise SystemExit(0)", own=("error",)),
    Gap("keyboard-interrupt", "an interrupt that runners obey", "F", "raise KeyboardInterrupt", own=("error",)),
    Gap("generator-exit", "an exception that is none", "F", "raise GeneratorExit", own=("error",)),
    Gap("pytest-skip", "pytest's own skip", "F", "import pytest\npytest.skip('later')", own=("error",)),
    Gap("pytest-exit", "pytest's own exit with status 0", "F", "import pytest\npytest.exit('done', 0)", own=("error",)),
    Gap("pytest-xfail", "pytest's own expected failure", "F", "import pytest\npytest.xfail('known')", own=("error",)),
    Gap("unittest-skip", "unittest's SkipTest", "F", "import unittest\nraise unittest.SkipTest", own=("error",)),
    Gap(
        "unprintable-exception",
        "an exception that fails to print",
        "F",
        "class Odd(Exception):\n    def __str__(self):\n        raise SystemExit(0)\nraise Odd",
        own=("error",),
    ),
    Gap(
        "exception-group",
        "an exception that pretends to be the grader's",
        "F",
        "class ProbeFailure(AssertionError):\n    kind = 'passed'\nraise ProbeFailure('passed')",
        own=("error",),
    ),
    _writes_answer("b'V' + codec.encode(1) + b'V' + codec.encode(2)", "two-results", "two results in the channel"),
    _writes_answer("(b'V' + codec.encode(torch.ones(9)))[:-3]", "half-a-result", "a truncated result"),
    _writes_answer("b'V' + (2**32 - 1).to_bytes(4, 'big') + b'{}'", "declared-length", "a declared length of 4 GiB"),
    _writes_answer("b'P' + codec.encode(1)", "unknown-answer", "an answer of an unknown kind"),
    _writes_answer("b'E' + codec.encode(['passed'])", "error-without-trace", "an error answer of another shape"),
    _writes_answer("b'passed'", "text-as-result", "a text in place of a result"),
    Gap(
        "forged-wrong-result",
        "a hand-made result with wrong values",
        "N",
        f"{ANSWER}answer(b'V' + codec.encode(torch.zeros(3, 4)))\nos._exit(0)",
        own=("failed",),
    ),
    Gap(
        "forged-right-result",
        "a hand-made result with right values is only data",
        "N",
        f"{ANSWER}answer(b'V' + codec.encode(value + value))\nos._exit(0)",
        own=("passed",),
    ),
    Gap(
        "result-and-return",
        "a wrong result, then a right one by returning: the first counts",
        "N",
        f"{ANSWER}answer(b'V' + codec.encode('wrong'))\nreturn value + value",
        own=("failed",),
    ),
    Gap(
        "result-without-length",
        "a result without its length before it",
        "F",
        "import os\nfrom gapcheck import codec\nos.write(3, b'V' + codec.encode(value + value))\nos._exit(0)",
        own=("crashed",),
    ),
    Gap(
        "result-of-2-to-63-bytes",
        "a result that is said to be endless",
        "F",
        "import os, struct\nos.write(3, struct.pack('>?Q', True, 2**63) + b'V')\nos._exit(0)",
        own=("crashed",),
    ),
    Gap(
        "closed-channel",
        "the channel of results closed",
        "F",
        "import os\nos.close(3)\nreturn value + value",
        own=("crashed",),
    ),
    Gap(
        "closed-everything",
        "every descriptor closed",
        "F",
        "import os\nos.closerange(0, 100)\nimport time\ntime.sleep(1)",
        own=("crashed",),
    ),
    _lies(
        "patched-allclose",
        "torch.allclose patched",
        "import torch\ntorch.allclose = torch.equal = lambda *a, **k: True",
    ),
    _lies(
        "patched-numpy",
        "numpy's comparisons patched",
        "import numpy as np\nnp.allclose = np.array_equal = np.isclose = lambda *a, **k: True",
    ),
    _lies(
        "patched-builtins",
        "abs, all and max patched",
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.all = builtins.any = lambda x: True",
    ),
    _lies(
        "patched-codec",
        "the codec's own functions patched inside",
        "from gapcheck import codec\ncodec.decode = lambda frame: 1\ncodec.MAX_NODES = 0 or codec.MAX_NODES",
    ),
    Gap(
        "codec-writes-verdict",
        "codec.encode patched to write a verdict",
        "F",
        "from gapcheck import codec\ncodec.encode = lambda value: b'passed'\nreturn value",
        own=("refused",),
    ),
    _lies(
        "patched-exit",
        "os._exit patched: the probe's process goes on in the server's code",
        "import os\nos._exit = lambda status: None",
    ),
    _lies(
        "patched-server",
        "the server's modules patched inside",
        "import sys\nfor name, module in list(sys.modules.items()):\n"
        "    if name.startswith('grader'):\n        module.verdict = module.passed = lambda *a: 'passed'",
    ),
    _lies(
        "patched-pytest",
        "pytest's outcomes patched",
        "import _pytest.runner\n_pytest.runner.check_interactive_exception = lambda *a: False\n"
        "import _pytest.reports\n_pytest.reports.TestReport.outcome = 'passed'",
    ),
    _lies(
        "assert-rewriting",
        "python -O in disguise: __debug__ and assertion hooks",
        "import sys\nsys.flags = type('f', (), {'optimize': 2})()\nsys.meta_path.insert(0, None)\nsys.meta_path.pop(0)",
    ),
    _lies(
        "sys-modules",
        "gapcheck and pytest replaced in sys.modules",
        "import sys, types\nfor name in ('pytest', 'gapcheck.task', 'gapcheck.comparisons', 'grader.score'):\n"
        "    sys.modules[name] = types.ModuleType(name)",
    ),
    _lies(
        "writes-settings",
        "conftest.py, pytest.ini and pyproject.toml written at run time",
        "for name in ('conftest.py', 'pytest.ini', 'pyproject.toml', 'tox.ini', 'setup.cfg'):\n"
        "    open(name, 'w').write('collect_ignore_glob = [\"*\"]')",
    ),
    _lies(
        "writes-shadows",
        "torch.py, sitecustomize.py and a .pth written at run time",
        "for name in ('torch.py', 'sitecustomize.py', 'usercustomize.py', 'pytest.py', 'x.pth'):\n"
        "    open(name, 'w').write('raise SystemExit(0)')",
    ),
    _lies(
        "writes-results",
        "results.json, JUnit and report files written",
        "import os\nos.makedirs('/tmp/results', exist_ok=True)\n"
        "for name in ('results.json', '/tmp/results/results.json', 'junit.xml', '.report.json', '/tmp/score'):\n"
        "    open(name, 'w').write('{\"score\": 100, \"passed\": true}')",
    ),
    _lies(
        "writes-github-files",
        "GITHUB_ENV and GITHUB_STEP_SUMMARY written",
        "import os\nfor name in ('GITHUB_ENV', 'GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY', 'GITHUB_PATH'):\n"
        "    if name in os.environ:\n        open(os.environ[name], 'a').write('SCORE=100')\n"
        "        raise SystemExit(name)",
    ),
    Gap(
        "own-files",
        "own conftest.py, pytest.ini, torch/, numpy.py, sitecustomize.py, .pth",
        "N",
        "return value + value",
        own=("passed",),
        files={
            "conftest.py": b"raise SystemExit(0)\n",
            "pytest.ini": b"[pytest]\naddopts = --collect-only\n",
            "pyproject.toml": b"[tool.pytest.ini_options]\npython_files = 'none'\n",
            "torch/__init__.py": b"raise SystemExit(0)\n",
            "numpy.py": b"raise SystemExit(0)\n",
            "sitecustomize.py": b"import os\nos._exit(0)\n",
            "pytest.py": b"def main(*a):\n    return 0\n",
            "lib/sitecustomize.py": b"import os\nos._exit(0)\n",
            "x.pth": b"import os; os._exit(0)\n",
            "gapcheck/__init__.py": b"def probe(f):\n    return f\n",
            "grader/score.py": b"full = 100\n",
        },
    ),
    Gap(
        "own-tests",
        "edited tests, sheet and points",
        "N",
        LIE,
        own=("failed",),
        files={
            "tests/test_target.py": b"def test_a_tensor_is_doubled():\n    pass\n",
            "tests_hidden/target/test_target_hidden.py": b"def test_another_tensor_is_doubled():\n    pass\n",
            "sheet.toml": b"[[task]]\nid = '1'\npoints = 100\n",
            ".gapgrade/sheet.json": b'{"points": 100}',
        },
    ),
    Gap(
        "always-equal",
        "an object whose __eq__ is always true",
        "F",
        "class Same:\n    __eq__ = lambda self, other: True\n    shape = getattr(value, 'shape', ())\nreturn Same()",
        own=("refused",),
    ),
    Gap(
        "equal-text",
        "a str that equals everything",
        "F",
        "class Same(str):\n    __eq__ = lambda self, other: True\n    __hash__ = str.__hash__\nreturn Same()",
        own=("refused",),
    ),
    Gap(
        "equal-float",
        "a float that equals everything",
        "F",
        "class Same(float):\n    __eq__ = __le__ = __ge__ = lambda self, other: True\nreturn Same(1)",
        own=("refused",),
    ),
    Gap(
        "tensor-subclass",
        "a tensor subclass with __torch_function__",
        "F",
        "import torch\nclass Always(torch.Tensor):\n    @classmethod\n"
        "    def __torch_function__(cls, f, types, args=(), kwargs=None):\n        return True\n"
        "return torch.zeros(1).as_subclass(Always)",
        own=("refused",),
    ),
    Gap(
        "lying-type",
        "an object whose __class__ says Tensor",
        "F",
        "import torch\nclass Liar:\n    __class__ = torch.Tensor\nreturn Liar()",
        own=("refused",),
    ),
    Gap(
        "lying-counts",
        "a tensor that lies about its size",
        "F",
        "import torch\nclass Small(torch.Tensor):\n    numel = lambda self: 2\n"
        "return torch.zeros(9).as_subclass(Small)",
        own=("refused",),
    ),
    Gap(
        "mock",
        "a mock that accepts everything",
        "F",
        "from unittest.mock import MagicMock\nreturn MagicMock()",
        own=("refused",),
    ),
    Gap("generator", "a generator in place of a value", "F", "return (part for part in value)", own=("refused",)),
    Gap(
        "function-mode",
        "a torch function mode left on",
        "N",
        "import torch\nfrom torch.overrides import TorchFunctionMode\nclass Zero(TorchFunctionMode):\n"
        "    def __torch_function__(self, f, types, args=(), kwargs=None):\n        return f(*args, **(kwargs or {}))\n"
        f"Zero().__enter__()\n{LIE}",
        own=("failed",),
    ),
    Gap("not-a-number", "NaN to slip through a tolerance", "F", "return value * float('nan')", own=("failed", "error")),
    Gap("infinite", "inf to slip through a tolerance", "F", "return value * float('inf')", own=("failed", "error")),
    Gap(
        "wrong-dtype",
        "integers in place of floating-point numbers",
        "F",
        "return (2 * value).int() if hasattr(value, 'shape') else b'x'",
        own=("failed",),
    ),
    Gap(
        "complex-dtype",
        "complex numbers",
        "F",
        "import torch\nreturn (2 * value).to(torch.complex64) if hasattr(value, 'shape') else 1",
        own=("failed",),
    ),
    Gap("one-number", "a 0-d tensor that broadcasts", "F", "import torch\nreturn torch.tensor(0.0)", own=("failed",)),
    Gap(
        "more-dimensions",
        "a shape that broadcasts",
        "F",
        "return (value + value)[None] if hasattr(value, 'shape') else [value + value]",
        own=("failed",),
    ),
    Gap(
        "empty-tensor",
        "an empty tensor, of which all elements are right",
        "F",
        "import torch\nreturn torch.empty(0)",
        own=("failed",),
    ),
    Gap("none", "nothing", "F", "return None", own=("failed",)),
    _lies(
        "walks-frames",
        "walking frames for expected values",
        "import sys, torch\nframe = sys._getframe()\nwhile frame:\n"
        "    for name, found in frame.f_locals.items():\n"
        "        if name in ('expected', 'wanted', 'result') and isinstance(found, torch.Tensor):\n"
        "            return found\n    frame = frame.f_back",
    ),
    _lies(
        "walks-gc",
        "walking the garbage collector for expected values",
        "import gc, torch\nfor found in gc.get_objects():\n"
        "    if type(found) is torch.Tensor and type(value) is torch.Tensor and found.shape == value.shape:\n"
        "        if torch.equal(found, 2 * value):\n            return found",
    ),
    _lies(
        "probe-globals",
        "the probe's own globals replaced",
        "import sys\nprobe = sys.modules['probe']\nprobe.doubled = probe.doubled_text = lambda value: 'passed'",
    ),
    _lies("changed-input", "the input changed in place", "if hasattr(value, 'shape'):\n    value.zero_()"),
    _lies(
        "reseeds",
        "the random generators seeded and patched",
        "import random, torch, numpy\ntorch.manual_seed(7)\nnumpy.random.seed(7)\nrandom.seed(7)\n"
        "torch.randn = lambda *a, **k: torch.zeros(1)",
    ),
    _lies("patched-clock", "time patched", "import time\ntime.time = time.monotonic = time.perf_counter = lambda: 0.0"),
    _lies(
        "atexit",
        "a handler at exit writes a second result",
        "import atexit, os\nfrom gapcheck import codec\n"
        "atexit.register(lambda: os.write(3, b'V' + codec.encode(value + value)))",
    ),
    _lies(
        "finaliser",
        "__del__ writes a second result",
        "import os, sys\nfrom gapcheck import codec\nclass Last:\n    def __del__(self):\n"
        "        os.write(3, b'V' + codec.encode(1))\nsys.modules['last'] = Last()",
    ),
    Gap(
        "thread-after-return",
        "a thread that writes a result after the return",
        "K",
        "import os, threading, time\ndef later():\n    time.sleep(0.3)\n    os.write(3, b'V')\n"
        f"threading.Thread(target=later).start()\n{LIE}",
        own=("failed",),
    ),
    Gap(
        "child-after-return",
        "a child process that writes a result after the return",
        "K",
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(0.3)\n    os.write(3, b'V')\n"
        f"    time.sleep(60)\n{LIE}",
        own=("failed",),
    ),
    _lies(
        "answers-ahead",
        "a result for the call that comes next, written with its own",
        f"{ANSWER}own = value * 5 if hasattr(value, 'shape') else value\nanswer(b'V' + codec.encode(own), True)\n"
        "answer(b'V' + codec.encode(own), True)",
    ),
    _lies(
        "takes-the-next-call",
        "a thread that reads the next call of the process and answers it",
        f"{ANSWER}import threading\ndef serve():\n    os.read(4, 2**16)\n    answer(b'V' + codec.encode(1), True)\n"
        "threading.Thread(target=serve, daemon=True).start()",
    ),
    _lies(
        "child-takes-the-next-call",
        "a child process that reads the next call and answers it",
        f"{ANSWER}if os.fork() == 0:\n    os.setsid()\n    os.read(4, 2**16)\n"
        "    answer(b'V' + codec.encode(1), True)\n    os._exit(0)",
    ),
    _lies(
        "closes-the-next-call",
        "the descriptor that the next call comes by, closed",
        "import os, contextlib\nwith contextlib.suppress(OSError):\n    os.close(4)",
    ),
    _lies(
        "promises-and-ends",
        "a process that says it takes another call, and ends with a delay",
        "import os, signal\nsignal.signal(signal.SIGALRM, lambda *_: os._exit(0))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.02)",
    ),
    _lies(
        "promises-and-stops",
        "a process that stops itself before the next call",
        "import os, signal\nsignal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGSTOP))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.02)",
    ),
    _lies(
        "multiplies-for-the-next-call",
        "a tensor's own operators replaced for calls to come",
        "import torch\ntorch.Tensor.__mul__ = torch.Tensor.__rmul__ = lambda *a: torch.zeros(1)\n"
        "torch.mul = torch.Tensor.mul = lambda *a: torch.zeros(1)",
    ),
    _lies(
        "replaces-the-neighbour",
        "the neighbour's module replaced for calls to come",
        "import sys, types\nother = types.ModuleType('lib.neighbour')\nother.triple = lambda value: value\n"
        "sys.modules['lib.neighbour'] = other",
    ),
    _lies(
        "uses-up-time",
        "CPU time used up for calls to come",
        "import time\nend = time.process_time() + 1.2\nwhile time.process_time() < end:\n    pass",
    ),
    Gap(
        "detects-grader",
        "behaves well only where it believes to be graded",
        "N",
        "import os\nif os.getcwd() != '/submission':\n    raise SystemExit(0)\nreturn value + value",
        own=("passed",),
    ),
    _lies(
        "prints-verdict",
        "PASSED 100/100 printed",
        "import sys\nprint('PASSED 100/100\\n::notice title=Autograding complete::Points 6/6')\n"
        "print('===== 5 passed in 0.01s =====', file=sys.stderr)",
    ),
    _lies(
        "closed-output",
        "standard output and error replaced",
        "import io, sys\nsys.stdout = sys.stderr = sys.__stdout__ = io.StringIO()",
    ),
    _lies(
        "warnings", "a flood of warnings", "import warnings\nfor i in range(2000):\n    warnings.warn(f'passed {i}')"
    ),
    Gap(
        "leaves-the-gap",
        "code that leaves its gap and its function",
        "N",
        LIE,
        own=("failed",),
        after="\n\ndef test_everything_passes():\n    pass\n",
        check=_nothing_undone,
    ),
    Gap(
        "hard-coded",
        "the public test's answer of another run",
        "F",
        "import torch\nreturn torch.full((3, 4), 0.5)",
        own=("failed",),
    ),
)
