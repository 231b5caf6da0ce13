"""Runs every construct of the client that an app may use, and prints what each answered as one JSON object."""

import io
import json
import tempfile
from pathlib import Path

import modal

app = modal.App("constructs")
image = modal.Image.debian_slim().workdir("/srv/app").env({"LEVEL": "3"})
shared = modal.Volume.from_name("shared", create_if_missing=True)
second = modal.Volume.from_name("second", create_if_missing=True, version=2)


@app.function(image=image, volumes={"/shared": shared, "/second": second})
def write(text: str) -> str:
    Path("/shared/from-body.txt").write_text(text)
    Path("/second/deep").mkdir(exist_ok=True)
    Path("/second/deep/b.txt").write_text(text)
    shared.commit()
    return str(Path.cwd())


@app.function(image=image, volumes={"/shared": shared})
def read() -> list[str]:
    return sorted(p.name for p in Path("/shared").iterdir())


@app.function(image=image, volumes={"/shared": shared.read_only()})
def write_where_it_may_not() -> str:
    try:
        Path("/shared/no.txt").write_text("no")
    except OSError as e:
        return e.strerror
    return "written"


@app.function(image=image)
def counted(name: str) -> int:
    held = modal.Dict.from_name(name, create_if_missing=True)
    held["calls"] = held.get("calls", 0) + 1
    return held["calls"]


@app.cls(image=image)
class Model:
    size: int = modal.parameter(default=3)

    @modal.enter()
    def load(self) -> None:
        self.loaded = self.size * 10

    @modal.method()
    def predict(self, x: int) -> int:
        return self.loaded + x

    @modal.method()
    def stream(self, n: int):
        yield from range(n)


@app.function(image=image, max_containers=1)
@modal.concurrent(max_inputs=4)
async def together(x: int) -> int:
    return x * 2


@app.function(image=image)
@modal.batched(max_batch_size=4, wait_ms=50)
def batched(xs: list[int]) -> list[int]:
    return [x + 1 for x in xs]


@app.function(image=image, schedule=modal.Period(days=1))
def every_day() -> str:
    return modal.current_input_id() or ""


@app.function(image=image)
@modal.fastapi_endpoint(method="POST")
def web(x: int) -> int:
    return x


def answered(ask):
    try:
        return ask()
    except Exception as e:  # noqa: BLE001
        return f"{type(e).__name__}: {e}"


def dicts():
    with modal.Dict.ephemeral() as d:
        d["a"], d["b"] = 1, [2]
        d.update(c=3)
        seen = [
            d["a"],
            d.get("x", 0),
            "b" in d,
            d.len(),
            sorted(d.keys()),
            d.pop("a"),
            d.put("b", 9, skip_if_exists=True),
        ]
        d.clear()
        return [*seen, d.len()]


def queues():
    with modal.Queue.ephemeral() as q:
        q.put(1)
        q.put_many([2, 3])
        q.put("other", partition="p")
        seen = [q.len(), q.len(total=True), q.get(), q.get_many(5), q.get(block=False), q.get(partition="p")]
        q.put_many([7, 8])
        return [*seen, list(q.iterate(item_poll_timeout=0.1))]


def files(volume):
    with tempfile.TemporaryDirectory() as folder, volume.batch_upload(force=True) as batch:
        Path(folder, "two.txt").write_bytes(b"two" * 1000)
        batch.put_file(io.BytesIO(b"one"), "/up/one.txt")
        batch.put_directory(folder, "/up")
    volume.copy_files(["/up/one.txt"], "/up/copy.txt")
    listed = sorted(e.path for e in volume.listdir("/", recursive=True))
    data = b"".join(volume.read_file("/up/one.txt")).decode()
    volume.remove_file("/up", recursive=True)
    gone = answered(lambda: b"".join(volume.read_file("/up/one.txt")).decode())
    return [listed, data, gone.split(":")[0]]


def main() -> None:
    answers = {}
    with app.run():
        for name, ask in {
            "write": lambda: write.remote("hello"),
            "read": read.remote,
            "read only": write_where_it_may_not.remote,
            "counted": lambda: [counted.remote("calls"), counted.remote("calls")],
            "default parameter": lambda: Model().predict.remote(1),
            "parameter": lambda: Model(size=5).predict.remote(1),
            "options": lambda: Model.with_options(timeout=60)(size=4).predict.remote(1),
            "stream": lambda: list(Model().stream.remote_gen(3)),
            "map": lambda: list(together.map(range(5))),
            "batched": lambda: sorted(batched.map(range(3))),
            "scheduled": lambda: every_day.remote()[:3],
            "web url": lambda: web.get_web_url()[:8],
            "stats": lambda: together.get_current_stats().backlog,
            "autoscaler": lambda: together.autoscaler.update(max_containers=2).max_containers,
            "spawned": lambda: modal.FunctionCall.from_id(read.spawn().object_id).get(timeout=30),
            "gathered": lambda: modal.FunctionCall.gather(together.spawn(1), together.spawn(2)),
            "call graph": lambda: len(read.spawn().get_call_graph()),
            "dicts": dicts,
            "queues": queues,
            "files": lambda: files(shared),
            "files of version 2": lambda: files(second),
            "left by the body": lambda: sorted(e.path for e in second.listdir("/", recursive=True)),
            "another's function": lambda: modal.Function.from_name("not-there", "f").remote(),
        }.items():
            answers[name] = answered(ask)
    app.deploy()
    for name, ask in {
        "deployed function": lambda: modal.Function.from_name("constructs", "read").remote(),
        "deployed class": lambda: modal.Cls.from_name("constructs", "Model")(size=6).predict.remote(1),
        "deployed class with options": lambda: (
            modal.Cls.from_name("constructs", "Model").with_options(max_containers=1)().predict.remote(1)
        ),
        "no such function": lambda: modal.Function.from_name("constructs", "nothing").hydrate(),
        "no such class": lambda: modal.Cls.from_name("constructs", "Nothing").hydrate(),
        "environment": lambda: [
            modal.Environment.objects.create("other"),
            sorted(e.name for e in modal.Environment.objects.list()),
            modal.Environment.objects.delete("other"),
        ][1],
        "no such environment": lambda: modal.Dict.from_name("d", environment_name="nowhere").hydrate(),
        "names": lambda: [
            [d.info().name for d in modal.Dict.objects.list()],
            [v.info().name for v in modal.Volume.objects.list()],
        ],
        "version": lambda: modal.Volume.from_name("shared", version=2).hydrate(),
    }.items():
        answers[name] = answered(ask)
    print(json.dumps(answers, default=str))


if __name__ == "__main__":
    main()
