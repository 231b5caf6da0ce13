import modal

v = modal.Volume.persisted("v")  # expect: dep-volume-constructor
d = modal.Dict.new()  # expect: dep-volume-constructor
