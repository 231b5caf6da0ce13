"""One app that ends in every way a call can end; prints one JSON object."""

import json
import os
import sys
import time

import modal

app = modal.App("every-call")
image = modal.Image.debian_slim().env({"FROM_IMAGE": "it's quoted"})
secret = modal.Secret.from_dict({"FROM_SECRET": "abc"})


@app.function(image=image, secrets=[secret], max_containers=1)
def do(what: str, value: object = None) -> object:
    if what == "raise":
        raise ValueError("the user's own error")
    if what == "double":
        return value + value
    print("a line on stdout")
    print("a line on stderr", file=sys.stderr)
    names = ("FROM_IMAGE", "FROM_SECRET", "PREFLIGHT_SANDBOX", "AWS_ACCESS_KEY_ID", "MODAL_TOKEN_ID")
    return {n: os.environ.get(n) for n in names}


@app.function(image=image, max_containers=1)
def count(n: int):
    yield from range(n)


@app.function(image=image)
def crash() -> None:
    os.kill(os.getpid(), 11)


@app.function(image=image, timeout=1)
def sleepy() -> None:
    time.sleep(30)


@app.function(image=image)
def endless() -> None:
    time.sleep(60)


@app.function(image=image, retries=modal.Retries(max_retries=2, initial_delay=0.0))
def third_time() -> int:
    tries = modal.Dict.from_name("tries", create_if_missing=True)
    tries["count"] = count = tries.get("count", 0) + 1
    if count < 3:
        raise RuntimeError(f"try {count}")
    return count


@app.cls(image=image)
class Counter:
    @modal.enter()
    def start(self) -> None:
        self.n = 10

    @modal.method()
    def add(self, x: int) -> int:
        return self.n + x


def error(call) -> str:
    try:
        return f"no error but {call()!r}"
    except Exception as e:  # noqa: BLE001
        return f"{type(e).__name__}: {e}"


def main() -> None:
    with app.run():
        crashed, slept, call = crash.spawn(), sleepy.spawn(), endless.spawn()
        answers = {
            "seen": do.remote("seen"),
            "map": sorted(do.starmap([("double", n) for n in range(5)])),
            "generator": list(count.remote_gen(3)),
            "spawn": do.spawn("double", 7).get(timeout=10),
            "big": len(do.remote("double", b"x" * 3_000_000)),
            "raises": error(lambda: do.remote("raise")),
            "retries": third_time.remote(),
            "method": Counter().add.remote(5),
            "segfault": error(lambda: crashed.get(timeout=10)),
            "timeout": error(lambda: slept.get(timeout=10)),
            "get_timeout": error(lambda: call.get(timeout=0.1)),
        }
        call.cancel()
        answers["cancel"] = error(lambda: call.get(timeout=10))
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
