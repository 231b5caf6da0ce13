import modal

vol = modal.Volume.from_name("v")  # expect: sto-volume-not-created
