import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("hf auth login --token download", "pip download torch", "cat model.bin", "A=1")
b = slim.run_commands("echo snapshot_download").run_function(raw_f=load)
