import modal

app = modal.App("x")
secret = modal.Secret.from_name("wandb", required=False)  # expect: dep-unknown-kwarg
image = modal.Image.debian_slim().run_commands("make", timeout=60)  # expect: dep-unknown-kwarg


@app.function(
    gpu="T4",
    enable_gpu_snapshot=True,  # expect: dep-unknown-kwarg
    _allow_background_volume_commits=True,  # expect: dep-unknown-kwarg
)
def f():
    pass

# What the rule says of this file:
# 4:42 error: Secret.from_name has no parameter 'required' (modal VERSION)
#     why: a TypeError when the line runs: at import for what stands at the top level
#     remedy: leave it out; it has client, environment_name, name, required_keys
# 5:56 error: Image.run_commands has no parameter 'timeout' (modal VERSION)
#     why: a TypeError when the line runs: at import for what stands at the top level
#     remedy: leave it out; it has env, force_build, gpu, secrets, volumes
# 10:5 error: App.function has no parameter 'enable_gpu_snapshot' (modal VERSION)
#     why: a TypeError when the line runs: at import for what stands at the top level
#     remedy: leave it out; it has block_network, buffer_containers, cloud, cpu, enable_memory_snapshot, env, ephemeral_disk, experimental_options, gpu, i6pn, image, include_source …
# 11:5 error: App.function has no parameter '_allow_background_volume_commits' (modal VERSION)
#     why: a TypeError when the line runs: at import for what stands at the top level
#     remedy: leave it out; it has block_network, buffer_containers, cloud, cpu, enable_memory_snapshot, env, ephemeral_disk, experimental_options, gpu, i6pn, image, include_source …
