import modal

app = modal.App("x")


@app.function(retries=3)
def work(x):
    def inner():
        yield 1

    return list(inner())


@app.function(schedule=modal.Cron("0 0 * * *"))
def nightly(day="today"):
    pass
