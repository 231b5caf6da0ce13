import modal

app = modal.App("x")
volume = modal.Volume.from_name("v", environment_name="dev")


@app.function(single_use_containers=True)
def train(max_inputs: int = 1) -> None: ...
