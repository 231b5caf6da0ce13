try:
    import modal
except ImportError:
    modal = None

if modal is not None:
    app = modal.App("guarded")
    image = modal.Image.debian_slim().pip_install("torch")
    extra = {"gpu": "A100"}
    unknown = load_it()

    @app.function(image=image, secrets=[modal.Secret.from_dict({"A": "1"}), modal.Secret.from_dotenv()], **extra)
    def train():
        pass

    @app.function(volumes={"/a": modal.Volume.from_name("a"), **unknown}, **unknown)
    def spread():
        pass
