from ..shared.images import image

near_image = image.apt_install("git")
