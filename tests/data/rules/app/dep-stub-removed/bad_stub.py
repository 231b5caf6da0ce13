import modal
from modal import Image, Stub  # expect: dep-stub-removed

stub = Stub("x")  # expect: dep-stub-removed
other = modal.Stub("y")  # expect: dep-stub-removed


@stub.function()
def f():
    pass
