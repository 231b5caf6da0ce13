import modal

app = modal.App("a")


@app.function()
def f(x):
    match x:
        case {"a": y}:
            return f"{y!r:>{10}}"
