import modal

v = modal.Volume.persisted("v")  # expect: dep-volume-constructor
d = modal.Dict.new()  # expect: dep-volume-constructor

# What the rule says of this file:
# 3:18 error: Volume.persisted is gone from the client
#     why: an AttributeError when the file is imported
#     remedy: write modal.Volume.from_name(…, create_if_missing=True)
#     fix (safe):
#         line 3: 'persisted' -> 'from_name'
#         line 3: '' -> ', create_if_missing=True'
# 4:16 error: Dict.new is gone from the client
#     why: an AttributeError when the file is imported
#     remedy: write modal.Dict.from_name, or .ephemeral() for one that goes with the run
