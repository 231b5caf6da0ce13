import modal

stub = modal.App("x")


class Stub:
    pass


made = Stub()
try:
    App = modal.App
except AttributeError:
    App = modal.Stub
