import modal
from modal import Image, Stub  # expect: dep-stub-removed

stub = Stub("x")  # expect: dep-stub-removed
other = modal.Stub("y")  # expect: dep-stub-removed


@stub.function()
def f():
    pass

# What the rule says of this file:
# 2:26 error: modal.Stub was removed in 1.0.0
#     why: an error when the file is imported: nothing of the app runs
#     remedy: write modal.App
#     fix (safe):
#         line 2: 'Stub' -> 'App'
#         line 4: 'Stub' -> 'App'
#         line 5: 'Stub' -> 'App'
# 4:8 error: modal.Stub was removed in 1.0.0
#     why: an error when the file is imported: nothing of the app runs
#     remedy: write modal.App
#     fix (safe):
#         line 2: 'Stub' -> 'App'
#         line 4: 'Stub' -> 'App'
#         line 5: 'Stub' -> 'App'
# 5:9 error: modal.Stub was removed in 1.0.0
#     why: an error when the file is imported: nothing of the app runs
#     remedy: write modal.App
#     fix (safe):
#         line 2: 'Stub' -> 'App'
#         line 4: 'Stub' -> 'App'
#         line 5: 'Stub' -> 'App'
