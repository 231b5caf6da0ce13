import modal

from pack.config import CONFIG

app = modal.App(CONFIG.name)
