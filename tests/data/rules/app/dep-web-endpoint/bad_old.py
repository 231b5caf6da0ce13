import modal

app = modal.App("x")


@app.function()
@modal.web_endpoint(method="POST")  # expect: dep-web-endpoint
def a():
    pass
