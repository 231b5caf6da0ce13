import modal

other_app = modal.App("not-mine")
MOUNTS = {"/d": modal.Volume.from_name("d")}


@other_app.function()
def not_mine():
    pass
