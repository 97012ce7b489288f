"""What honest code does, and may: the wall must not stand in its way."""

from __future__ import annotations

from tests.attacks.kinds import LIMITS, Attack, Gap, Probe

ROOMY = LIMITS.model_copy(update={"probe_seconds": 30, "memory_mb": 1536, "processes": 32})


def _may(id_: str, row: str, code: str, sees: object = True, *, roomy: bool = False) -> Probe:
    return Probe(id_, row, "ok", f"def attack():\n{code}", sees, limits=ROOMY if roomy else LIMITS)


ATTACKS: tuple[Attack, ...] = (
    Gap("solution", "the solution", "ok", "# a sum\nreturn value + value", own=("passed",)),
    Gap(
        "another-solution",
        "another right solution",
        "ok",
        "# concatenated or multiplied\nreturn value * 2",
        own=("passed",),
    ),
    _may(
        "data-loader",
        "a DataLoader with 2 workers",
        """
    import torch
    from torch.utils.data import DataLoader, TensorDataset
    loader = DataLoader(TensorDataset(torch.arange(64.0)), batch_size=8, num_workers=2, shuffle=True)
    return sum(float(x.sum()) for (x,) in loader)""",
        2016.0,
        roomy=True,
    ),
    _may(
        "pool",
        "a pool of two processes",
        """
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(abs, [-1, 2, -3])""",
        [1, 2, 3],
        roomy=True,
    ),
    _may(
        "queue",
        "a process with a queue",
        """
    import multiprocessing
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=queue.put, args=("hello",))
    process.start()
    found = queue.get()
    process.join()
    return found""",
        "hello",
    ),
    _may(
        "threads",
        "a pool of threads",
        """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda x: x * x, range(5)))""",
        [0, 1, 4, 9, 16],
    ),
    _may(
        "asyncio",
        "asyncio",
        """
    import asyncio
    async def work(x):
        await asyncio.sleep(0.01)
        return x
    async def main():
        return await asyncio.gather(*(work(i) for i in range(3)))
    return asyncio.run(main())""",
        [0, 1, 2],
    ),
    _may(
        "python",
        "another Python",
        """
    import subprocess, sys
    return subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout""",
        "42\n",
    ),
    _may(
        "shell",
        "a shell with a pipe",
        """
    import subprocess
    return subprocess.check_output("echo hello | tr a-z A-Z", shell=True, text=True)""",
        "HELLO\n",
    ),
    _may(
        "savefig",
        "matplotlib with Agg",
        """
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    axes.set_title("loss")
    figure.savefig("/tmp/figure.png")
    plt.show()
    return os.path.getsize("/tmp/figure.png") > 1000""",
        roomy=True,
    ),
    _may(
        "savefig-pdf",
        "a figure as PDF in the working directory",
        """
    import matplotlib.pyplot as plt
    plt.imshow([[1, 2], [3, 4]])
    plt.savefig("figure.pdf")
    return os.path.exists("figure.pdf")""",
        roomy=True,
    ),
    _may(
        "save-image",
        "torchvision's grids",
        """
    import torch
    from torchvision.utils import make_grid, save_image
    save_image(torch.rand(4, 1, 8, 8), "grid.png")
    return make_grid(torch.rand(4, 1, 8, 8), nrow=2).shape == (3, 22, 22)""",
        roomy=True,
    ),
    _may(
        "transforms",
        "torchvision's transforms",
        """
    import torch
    from torchvision import transforms
    return transforms.Normalize((0.5,), (0.5,))(torch.ones(1, 2, 2)).tolist()""",
        [[[1.0, 1.0], [1.0, 1.0]]],
        roomy=True,
    ),
    _may(
        "temporary-files",
        "tempfile",
        """
    import tempfile
    with tempfile.NamedTemporaryFile("w+") as file, tempfile.TemporaryDirectory() as folder:
        file.write("x")
        open(folder + "/y", "w").close()
        return os.listdir(folder)""",
        ["y"],
    ),
    _may(
        "own-files",
        "files and folders of its own",
        """
    import json
    from pathlib import Path
    folder = Path("results/run-1")
    folder.mkdir(parents=True)
    (folder / "log.json").write_text(json.dumps({"loss": [1.0]}))
    return json.loads((folder / "log.json").read_text()), [p.name for p in Path(".").glob("**/*.json")]""",
        ({"loss": [1.0]}, ["log.json"]),
    ),
    _may(
        "home",
        "the home directory and its caches",
        """
    from pathlib import Path
    (Path.home() / ".cache" / "x").mkdir(parents=True)
    return Path("~/.cache").expanduser().is_dir()""",
    ),
    _may("given-file", "a file of the submission", "    return open('given.txt').read()", "given\n"),
    _may(
        "large-tensor",
        "a tensor of 500 MB",
        "    import torch\n    return torch.ones(125_000_000).sum().item()",
        125_000_000.0,
        roomy=True,
    ),
    _may(
        "training",
        "a few steps of training",
        """
    import torch
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    x, y = torch.randn(64, 4), torch.randn(64, 1)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses[-1] < losses[0]""",
        roomy=True,
    ),
    _may(
        "autograd",
        "gradients of gradients",
        """
    import torch
    x = torch.tensor(3.0, requires_grad=True)
    (first,) = torch.autograd.grad(x**3, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    return [first.item(), second.item()]""",
        [27.0, 18.0],
    ),
    _may(
        "two-threads",
        "two threads for torch",
        """
    import torch
    torch.set_num_threads(2)
    return (torch.ones(300, 300) @ torch.ones(300, 300)).sum().item()""",
        27_000_000.0,
        roomy=True,
    ),
    _may(
        "convolution",
        "convolutions and batch normalisation",
        """
    import torch
    layers = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ConvTranspose2d(4, 1, 3))
    layers(torch.randn(2, 1, 8, 8)).sum().backward()
    return tuple(layers(torch.randn(2, 1, 8, 8)).shape)""",
        (2, 1, 8, 8),
        roomy=True,
    ),
    _may(
        "save-and-load",
        "torch.save and torch.load",
        """
    import torch
    model = torch.nn.Linear(3, 2)
    torch.save(model.state_dict(), "model.pt")
    other = torch.nn.Linear(3, 2)
    other.load_state_dict(torch.load("model.pt"))
    return torch.equal(model.weight, other.weight)""",
    ),
    _may(
        "safetensors",
        "safetensors",
        """
    import torch
    from safetensors.torch import load_file, save_file
    save_file({"w": torch.ones(3)}, "w.safetensors")
    return load_file("w.safetensors")["w"].tolist()""",
        [1.0, 1.0, 1.0],
    ),
    _may(
        "compile",
        "torch.compile, refused or not, without harm",
        """
    import torch
    try:
        return bool(torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)) == 2)
    except Exception:
        return True""",
        roomy=True,
    ),
    _may(
        "script",
        "torch.jit.trace",
        """
    import torch
    import warnings
    warnings.simplefilter("ignore")
    return torch.jit.trace(lambda x: x + 1, torch.ones(1))(torch.ones(1)).item()""",
        2.0,
        roomy=True,
    ),
    _may(
        "generator",
        "a generator of its own",
        """
    import torch
    generator = torch.Generator().manual_seed(3)
    return torch.equal(torch.randn(4, generator=generator), torch.randn(4, generator=generator.manual_seed(3)))""",
    ),
    _may(
        "distributions",
        "torch.distributions",
        """
    import torch
    return torch.distributions.Normal(0.0, 1.0).log_prob(torch.tensor(0.0)).item() < -0.9""",
    ),
    _may(
        "numpy",
        "numpy",
        """
    import numpy as np
    values = np.random.default_rng(1).normal(size=1000)
    np.save("values.npy", values)
    return bool(np.allclose(np.load("values.npy"), values)), np.linalg.inv(np.eye(3)).tolist()[0]""",
        (True, [1.0, 0.0, 0.0]),
    ),
    _may(
        "scipy", "scipy", "    import scipy.stats\n    return round(float(scipy.stats.norm.cdf(0)), 3)", 0.5, roomy=True
    ),
    _may(
        "dataclasses",
        "dataclasses and enumerations inside",
        """
    import dataclasses, enum
    Kind = enum.Enum("Kind", "a b")
    @dataclasses.dataclass(frozen=True)
    class Config:
        size: int = 3
        kind: Kind = Kind.a
    return dataclasses.replace(Config(), size=4).size""",
        4,
    ),
    _may("warning", "a warning", "    import warnings\n    warnings.warn('careful')\n    return True"),
    Probe(
        "printing",
        "printing within the limit",
        "ok",
        "def attack():\n    for epoch in range(100):\n        print('epoch', epoch, flush=True)\n    return True",
        True,
        output="epoch 99",
    ),
    Probe(
        "printing-much",
        "printing more than is kept",
        "ok",
        "def attack():\n    for step in range(20_000):\n        print('step', step)\n    return True",
        True,
        output="[output cut",
    ),
    _may("progress", "a progress bar", "    import tqdm\n    return sum(tqdm.tqdm(range(100)))", 4950),
    Probe(
        "logging",
        "logging",
        "ok",
        "def attack():\n    import logging\n    logging.basicConfig(level='INFO')\n"
        "    logging.info('started')\n    return True",
        True,
        output="started",
    ),
    _may(
        "caught-recursion",
        "deep recursion, caught",
        """
    def deeper(n):
        return deeper(n + 1)
    try:
        deeper(0)
    except RecursionError:
        return True""",
    ),
    _may(
        "caught-exceptions",
        "exceptions, caught",
        """
    import torch
    try:
        torch.ones(2, 3) @ torch.ones(2, 3)
    except RuntimeError as error:
        return "shapes" in str(error)""",
    ),
    _may(
        "short-sleep",
        "a short sleep",
        "    import time\n    start = time.monotonic()\n"
        "    time.sleep(0.2)\n    return time.monotonic() - start >= 0.2",
    ),
    _may(
        "timing",
        "measuring time",
        "    import time\n    start = time.perf_counter()\n"
        "    return time.perf_counter() >= start and time.time() > 1.6e9",
    ),
    _may(
        "signals",
        "a handler for an alarm",
        """
    import signal, time
    rang = []
    signal.signal(signal.SIGALRM, lambda *a: rang.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(0.2)
    return rang""",
        [1],
    ),
    _may(
        "regular-expressions",
        "re, collections, itertools, functools",
        """
    import collections, functools, itertools, re
    words = re.findall(r"\\w+", "a b a")
    most = collections.Counter(words).most_common(1)
    return most, list(itertools.accumulate([1, 2, 3])), functools.reduce(lambda a, b: a + b, [1, 2])""",
        ([("a", 2)], [1, 3, 6], 3),
    ),
    _may(
        "archives",
        "zip, gzip and csv in its own folder",
        """
    import csv, gzip, zipfile
    with zipfile.ZipFile("x.zip", "w") as archive:
        archive.writestr("a.txt", "hello")
    with gzip.open("x.gz", "wt") as file:
        file.write("1,2")
    return zipfile.ZipFile("x.zip").read("a.txt"), list(csv.reader(gzip.open("x.gz", "rt")))""",
        (b"hello", [["1", "2"]]),
    ),
    _may(
        "database",
        "a database in memory",
        """
    import sqlite3
    database = sqlite3.connect(":memory:")
    database.execute("create table t (x)")
    database.execute("insert into t values (3)")
    return database.execute("select x from t").fetchall()""",
        [(3,)],
    ),
    _may(
        "pickling",
        "pickle and copy of its own objects",
        """
    import copy, pickle, torch
    model = torch.nn.Linear(2, 2)
    return torch.equal(pickle.loads(pickle.dumps(model)).weight, copy.deepcopy(model).weight)""",
    ),
    _may(
        "memory-freed",
        "much memory, one piece after the other",
        """
    import torch
    return sum(int(torch.ones(20_000_000).sum()) for _ in range(10))""",
        200_000_000,
    ),
    _may(
        "socket-pair",
        "a pair of local sockets",
        """
    import socket
    a, b = socket.socketpair()
    a.sendall(b"x")
    return b.recv(1)""",
        b"x",
    ),
    _may(
        "mapped-file",
        "a file mapped into memory",
        """
    import mmap
    open("x", "wb").write(b"hello" * 1000)
    with open("x", "r+b") as file, mmap.mmap(file.fileno(), 0) as place:
        return place[:5]""",
        b"hello",
    ),
    _may(
        "user-name", "asking who one is", "    import getpass\n    return tried(os.getlogin) != '' and os.getuid() != 0"
    ),
    _may(
        "processors",
        "asking for processors and memory",
        "    return os.cpu_count() >= 1 and 'MemTotal' in open('/proc/meminfo').read()",
    ),
    _may(
        "plain-data",
        "all kinds of plain data",
        """
    import numpy as np, torch
    tensor = torch.ones(1, dtype=torch.bfloat16)
    return {"a": [1, 2.5, None, True, "x", b"y", (1, 2)], 3: np.float32(1), "t": tensor}""",
        lambda seen: seen["a"] == [1, 2.5, None, True, "x", b"y", (1, 2)] and seen["t"].dtype.is_floating_point,
    ),
)
