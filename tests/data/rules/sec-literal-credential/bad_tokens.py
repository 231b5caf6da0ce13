import os

import modal

os.environ["WANDB_API_KEY"] = "a3f09c1be47d5528" "90ffe1c3b7a6d4820b9e6f17"  # expect: sec-literal-credential
secret = modal.Secret.from_dict(
    {
        "HF_TOKEN": "hf_" "QwErTyUiOpAsDfGhJkLzXcVbNm84Qq",  # expect: sec-literal-credential
        "PLAIN": "small",
    }
)
app = modal.App("a", secrets=[secret])


@app.function()
def f():
    login(token="ghp_" "Zx81Kq93LmWp04Bv72Ny65Rt18Us43Cd90Ef")  # expect: sec-literal-credential

# What the rule says of this file:
# 5:31 error: the value of WANDB_API_KEY is written in the file
#     why: whoever reads the repository can use it
#     remedy: withdraw it where it was made, then use modal.Secret.from_name(…)
# 8:21 error: a Hugging Face token is written in the file
#     why: whoever reads the repository can use it
#     remedy: withdraw it where it was made, then use modal.Secret.from_name(…)
# 17:17 error: a GitHub token is written in the file
#     why: whoever reads the repository can use it
#     remedy: withdraw it where it was made, then use modal.Secret.from_name(…)
