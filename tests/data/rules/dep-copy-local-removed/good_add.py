import modal

image = modal.Image.debian_slim().pip_install("x").add_local_dir("src", "/root/src")


class Other:
    def copy_local_dir(self, a):
        return a


Other().copy_local_dir("x")
