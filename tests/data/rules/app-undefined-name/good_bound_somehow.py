import sys
from typing import TYPE_CHECKING

import modal

if TYPE_CHECKING:
    from numpy import ndarray

try:
    profile
except NameError:
    profile = lambda f: f  # noqa: E731


def setup():
    global volume
    volume = modal.Volume.from_name("v")


setup()
app = modal.App("a")
sizes = [n for n in range(3)]
match sys.argv:
    case [program, *rest]:
        print(program, rest, __file__, __doc__)


@app.function(volumes={"/v": volume})
@profile
def f(x: "ndarray") -> ndarray:
    return later(x)


def later(x):
    return x


if __name__ == "__main__":
    print(display)
