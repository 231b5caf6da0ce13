import modal

app = modal.App("aliases")
common = {"timeout": 60}
same = common
copied = dict(common)
same["gpu"] = "T4"


def with_volume(options, name):
    options["volumes"] = {"/data": modal.Volume.from_name(name)}


def maybe():
    if unknown():
        common["memory"] = 1024


with_volume(common, "data")
maybe()
first = second = []
first.append(modal.Secret.from_name("both"))


@app.function(**common, secrets=second)
def shared():
    pass


@app.function(**copied)
def apart():
    pass
