import modal

image = (
    modal.Image.debian_slim()
    .copy_local_dir("src", "/root/src")  # expect: dep-copy-local-removed
    .pip_install("x")
)
other = image.copy_local_file("a.txt", "/a.txt")  # expect: dep-copy-local-removed
