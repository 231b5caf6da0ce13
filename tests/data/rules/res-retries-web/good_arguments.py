import os

import modal

app = modal.App("x")


@app.function(schedule=modal.Cron("0 4 * * *"))
def nightly(day=1, /, hour=2, *parts, zone="utc", **rest): ...


@app.function(retries=None)
def pages():
    yield 1


@app.function(retries=os.environ.get("RETRIES"))
@modal.fastapi_endpoint()
def web(): ...


@app.function(retries=2)
def lazy():
    class Rows:
        def each(self):
            yield 1

    return Rows(), lambda: (yield)
