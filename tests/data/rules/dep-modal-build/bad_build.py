import modal

app = modal.App("x")


@app.cls()
class M:
    @modal.build()  # expect: dep-modal-build
    def download(self):
        pass

# What the rule says of this file:
# 8:6 error: modal.build was removed in 1.1.0
#     why: an error when the file is imported: nothing of the app runs
#     remedy: put weights on a Volume and load them in @modal.enter(), or use image.run_function
