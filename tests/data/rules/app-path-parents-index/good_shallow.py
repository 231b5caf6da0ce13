from pathlib import Path

import modal

HERE = Path(__file__).parent
ROOT = Path(__file__).parent.parent.parent
TOP = Path(__file__).parents[1]
if modal.is_local():
    FAR = Path(__file__).parents[4]
app = modal.App("a")


@app.function()
def f():
    return Path(__file__).parents[5]


@app.local_entrypoint()
def main():
    print(Path(__file__).parents[3])
