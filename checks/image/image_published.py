"""What the image downloads is published.

Looks at: The base images, the pinned torch wheels and the release wheels that the app's text names or that setup.py
    would ask for, by HTTP: the file, the index page, the registry's manifest (with an anonymous token).
Why it matters: Old nvidia/cuda tags are deleted six months after their end of life, indexes never held some pairs of
    torch and CUDA, and a release wheel that is not there turns seconds into a source build: all of it shows 5 to 15 min
    into the image build.
How to fix: A 404 names what is gone: take a tag, a torch or a wheel that is there. What nobody could confirm (no
    network, a refusal, a rate limit) is reported: run it again, or look by hand.
Source: The simple index API, the OCI distribution API, the release pages. Answers are kept for a day, a 404 for 15 min,
    in the user's cache folder; PyPI is asked only where pip's own configuration names an index.
"""

from preflight.api import RECIPE, Answer, Check, Finding, Looked, NotApplicable, Stage, build, error, facts, warning
from preflight.remote.index.api import There
from preflight.remote.index.lookups import PUBLISHED, Published


async def run(looked: Looked) -> Answer | NotApplicable:
    found = looked[PUBLISHED]
    if not found:
        return NotApplicable(f"{looked[RECIPE].source.path} names no base image, pinned torch or release wheel")
    by = {there: [p for p in found if p.presence.there is there] for there in There}
    names = {there: ", ".join(p.download.what for p in by[there]) for there in There}
    if len(by[There.NOT_ASKED]) == len(found):
        return NotApplicable(f"not confirmed, since {found[0].presence.why}: {names[There.NOT_ASKED]}")
    findings = [_missing(p) for p in by[There.MISSING]]
    if open_ones := by[There.NOT_CONFIRMED]:
        findings.append(
            warning(
                f"not confirmed that it is there: {names[There.NOT_CONFIRMED]}",
                "run this check again where these hosts can be reached, or leave it out with --skip image-published",
                open_ones[0].download.where,
                why="what is gone stops the image build after 5 to 15 min",
                evidence=tuple(dict.fromkeys(p.presence.why for p in open_ones)),
            )
        )
    said = "; ".join(f"{there}: {names[there]}" for there in There if by[there])
    seen = [{"what": p.download.what, "there": p.presence.there.value, "why": p.presence.why or None} for p in found]
    return Answer(summary=said, seen={"downloads": seen}, findings=tuple(findings))


def _missing(published: Published) -> Finding:
    download = published.download
    return (error if download.is_needed else warning)(
        f"{download.what} does not exist: {published.presence.why}",
        _remedy(download),
        download.where,
        why="the image build stops there" if download.is_needed else "setup.py compiles in its place, for 5 to 60 min",
    )


def _remedy(download: build.Download) -> str:
    if isinstance(download.target, build.BaseImage):
        tag = facts.cuda_devel_tag(download.what)
        return f"take nvidia/cuda:{tag}, the newest of this CUDA in our table" if tag else "take a tag that is there"
    if isinstance(download.target, build.Asset):
        return "take a release that has a wheel for this torch and Python; `preflight init --recipe` names one"
    return "pin a torch that this index holds for this Python, or take another index"


CHECK = Check(
    id="IMG550", stage=Stage.REMOTE, needs=(RECIPE, PUBLISHED), run=run, timeout_s=25.0, explains=(PUBLISHED,)
)
