import modal

image = (
    modal.Image.debian_slim(python_version="3.12")
    .pip_install("torch>=2.4", "numpy")  # expect: ver-torch-unpinned
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:18 info: torch>=2.4 takes the newest torch of the day
#     why: the next image build may get another torch, and what was built for the old one stops loading
#     remedy: pin torch with ==
