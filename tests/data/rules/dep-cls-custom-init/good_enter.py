import modal

app = modal.App("x")


class Plain:
    def __init__(self):
        self.x = 1


@app.cls()
class A:
    name: str = modal.parameter()

    @modal.enter()
    def load(self):
        self.plain = Plain()
