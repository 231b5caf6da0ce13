"""Names that look like Modal's and are not."""
import modal
from PIL import Image

app = modal.App("others")
base = modal.Image.debian_slim()
name = "module-level"


@app.function(image=base)
def picture(name):
    base = Image.open("x.png")
    base = base.resize((1, 1)).pip_install("not-a-package")
    app = object()
    app.function(gpu="H100")
    client.chat.completions.create(model="m")
    volume = modal.Volume.from_name(name)
    volume.commit()
    return base


class Trainer:
    def function(self):
        Dataset.from_dict({"a": 1})
        return self.app.cls()
