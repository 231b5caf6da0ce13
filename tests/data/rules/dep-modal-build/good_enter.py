import modal

app = modal.App("x")


@app.cls()
class M:
    @modal.enter()
    def build(self):
        pass
