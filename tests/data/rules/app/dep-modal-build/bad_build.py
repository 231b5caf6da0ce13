import modal

app = modal.App("x")


@app.cls()
class M:
    @modal.build()  # expect: dep-modal-build
    def download(self):
        pass
