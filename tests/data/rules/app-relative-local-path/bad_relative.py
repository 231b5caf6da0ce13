import modal

SRC = "../../src"
image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install_from_requirements("requirements.txt")  # expect: app-relative-local-path
    .add_local_dir(SRC, "/root/src")  # expect: app-relative-local-path
    .add_local_file(
        "configs/train.yaml",  # expect: app-relative-local-path
        "/root/train.yaml",
    )
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:36 info: pip_install_from_requirements takes 'requirements.txt' from the folder where `modal run` is started
#     why: started from another folder it is not found, or it is another folder of that name
#     remedy: build it from the file: Path(__file__).parent / 'requirements.txt'
# 7:20 warning: add_local_dir takes '../../src' from the folder where `modal run` is started
#     why: started from another folder it is not found, or it is another folder of that name
#     remedy: build it from the file: Path(__file__).parent / '../../src'
# 9:9 info: add_local_file takes 'configs/train.yaml' from the folder where `modal run` is started
#     why: started from another folder it is not found, or it is another folder of that name
#     remedy: build it from the file: Path(__file__).parent / 'configs/train.yaml'
