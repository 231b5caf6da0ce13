import modal

f = modal.Function.lookup("app", "f")  # expect: dep-lookup-removed
v = modal.Volume.lookup("v")  # expect: dep-lookup-removed

# What the rule says of this file:
# 3:20 error: Function.lookup was removed in 1.2.0
#     why: an AttributeError when the line runs
#     remedy: write modal.Function.from_name
#     fix (safe):
#         line 3: 'lookup' -> 'from_name'
# 4:18 error: Volume.lookup was removed in 1.2.0
#     why: an AttributeError when the line runs
#     remedy: write modal.Volume.from_name
#     fix (safe):
#         line 4: 'lookup' -> 'from_name'
