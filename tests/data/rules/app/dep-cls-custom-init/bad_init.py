import modal

app = modal.App("x")


class Base:
    def __init__(self, size):  # expect: dep-cls-custom-init
        self.size = size


@app.cls()
class A:
    def __init__(self):  # expect: dep-cls-custom-init
        self.x = 1


@app.cls()
class B(Base):
    pass
