"""What is read of a path: a library, a wheel's libraries, or the reason why not; hostile ones in bounded time."""

from __future__ import annotations

import os
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preflight.binary.link import Linked, Target, Verdict, link

BINARIES = Path(__file__).parent.parent / "data" / "binaries"
PACKED = (BINARIES / "packed.so").read_bytes()
MODULE = "selective_scan_cuda.cpython-311-x86_64-linux-gnu.so"


def wheel(path: Path, members: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def only(path: Path) -> Linked:
    (one,) = link(path, Target())
    return one


def unreadable(path: Path) -> str:
    one = only(path)
    assert one.verdict is Verdict.UNREADABLE
    assert one.torch_versions == () and one.archs == ()
    return one.reasons[0]


def test_each_library_of_a_wheel_is_read_and_its_python_is_not(tmp_path: Path) -> None:
    path = wheel(tmp_path / "a.whl", {"mamba_ssm/__init__.py": b"x = 1", MODULE: PACKED, "mamba_ssm/b.so.2": PACKED})
    found = link(path, Target())
    assert [one.path for one in found] == [f"{path}/{MODULE}", f"{path}/mamba_ssm/b.so.2"]
    assert {one.verdict for one in found} == {Verdict.LOADS}
    assert [str(a) for a in found[0].archs] == ["sm_75", "sm_90a", "sm_100f", "sm_120", "compute_120"]


def test_a_wheel_whose_library_is_stored_is_read_too(tmp_path: Path) -> None:
    assert only(wheel(tmp_path / "a.whl", {MODULE: PACKED}, compression=zipfile.ZIP_STORED)).archs


def test_a_wheel_without_its_extension_is_not_green(tmp_path: Path) -> None:
    assert "no shared library" in unreadable(wheel(tmp_path / "a-py3-none-any.whl", {"mamba_ssm/__init__.py": b""}))


def test_a_folder_an_empty_file_and_a_text_are_unreadable(tmp_path: Path) -> None:
    (tmp_path / "empty.so").write_bytes(b"")
    (tmp_path / "text.so").write_text("INPUT(-lfoo)")
    assert unreadable(tmp_path) == "it is no regular file"
    assert unreadable(tmp_path / "empty.so") == "it is empty"
    assert "no ELF file" in unreadable(tmp_path / "text.so")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.so")
    assert unreadable(tmp_path / "a.so") == "it is no regular file"


def test_a_link_to_a_library_is_followed_and_a_circle_of_them_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "right.so").symlink_to(BINARIES / "packed.so")
    (tmp_path / "a.so").symlink_to(tmp_path / "b.so")
    (tmp_path / "b.so").symlink_to(tmp_path / "a.so")
    assert only(tmp_path / "right.so").archs
    assert "can't be read" in unreadable(tmp_path / "a.so")


def test_a_file_that_is_not_there_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        link(tmp_path / "no.so", Target())


def test_a_wheel_that_is_cut_off_is_unreadable(tmp_path: Path) -> None:
    path = wheel(tmp_path / "a.whl", {MODULE: PACKED})
    path.write_bytes(path.read_bytes()[:-40])
    assert "can't be read as a wheel" in unreadable(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = wheel(tmp_path / "a.whl", {MODULE: bytes(64 << 20)})
    began = time.perf_counter()
    tracemalloc.start()
    said = unreadable(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "claim to be 67108864" in said
    assert peak < 8 << 20 and time.perf_counter() - began < 1


def test_a_list_of_files_of_gigabytes_is_refused(tmp_path: Path) -> None:
    path = wheel(tmp_path / "a.whl", {MODULE: PACKED})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x05\x06")
    data[at + 12 : at + 16] = (0x7FFFFFFF).to_bytes(4, "little")
    path.write_bytes(data)
    assert "2147483647 bytes" in unreadable(path)


def test_a_link_inside_a_wheel_is_refused_and_its_target_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    member = zipfile.ZipInfo(MODULE)
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "/etc/passwd")
    assert "it is a link" in unreadable(path)


def test_a_member_that_climbs_out_of_the_wheel_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = wheel(tmp_path / "in" / "a.whl", {f"../../{MODULE}": PACKED})
    assert only(path).archs
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.whl", "in"]


def test_a_wrong_checksum_is_unreadable(tmp_path: Path) -> None:
    path = wheel(tmp_path / "a.whl", {MODULE: PACKED}, compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    at = data.find(b"\x7fELF")
    data[at + 200] ^= 0xFF
    path.write_bytes(data)
    assert "can't be unpacked" in unreadable(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_is_read_or_refused_in_words(tmp_path: Path, method: int) -> None:
    assert only(wheel(tmp_path / "a.whl", {MODULE: PACKED}, compression=method)).archs


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6))
def test_no_mutation_of_a_wheel_breaks_it(tmp_path: Path, changes: list[tuple[int, bytes]]) -> None:
    path = wheel(tmp_path / "a.whl", {MODULE: PACKED, "b/c.so": PACKED[:300]})
    data = bytearray(path.read_bytes())
    for at, new in changes:
        at %= len(data)
        data[at : at + len(new)] = new
    path.write_bytes(data)
    assert all(one.verdict in Verdict for one in link(path, Target("2.5.1")))


def test_a_library_in_the_page_cache_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "large.so"
    path.write_bytes(PACKED + bytes(64 << 20))
    tracemalloc.start()
    assert only(path).archs
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
