import pytest

from preflight.facts.gpus import gpu
from preflight.facts.images import builder, cuda_tag, known_image, newest_gcc, pytorch_tag
from preflight.facts.packages import extension, extension_at, is_on_pytorch_index
from preflight.facts.torch import cuda_of, has_cxx11_abi, newest_torch_for, torch_row
from preflight.facts.wheels import NoWheel, Wheel, newest, newest_with_wheel, wheel_for, wheel_name

SEED = {"torch": "2.2.2", "cuda": "12.1", "python": "3.11", "abi": False}


def test_the_wheel_of_the_seed_recipe_has_the_name_that_its_setup_py_asks_for():
    found = wheel_for("mamba-ssm", "2.2.2", **SEED)
    assert isinstance(found, Wheel)
    assert found.filename == "mamba_ssm-2.2.2+cu122torch2.2cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
    assert found.url.startswith("https://github.com/state-spaces/mamba/releases/download/v2.2.2/")
    assert not found.broken


def test_a_release_without_a_wheel_says_which_part_is_missing():
    for version, changed, word in (
        ("2.3.2.post1", {}, "none for torch 2.2"),
        ("2.2.2", {"torch": "2.0.1"}, "no CUDA 12 wheel"),
        ("2.2.2", {"python": "3.13"}, "no wheel for Python 3.13"),
        ("2.3.2.post1", {"torch": "2.9.1", "abi": False}, "no cxx11abiFALSE wheel"),
    ):
        found = wheel_for("mamba-ssm", version, **{**SEED, **changed})
        assert isinstance(found, NoWheel)
        assert word in found.why


def test_a_release_whose_matrix_was_not_read_is_unknown_and_not_missing():
    assert wheel_for("causal-conv1d", "1.7.0", **SEED) is None
    assert wheel_for("mamba-ssm", "9.9.9", **SEED) is None
    assert wheel_for("some-package", "1.0", **SEED) is None


def test_the_mislabelled_wheels_of_torch_2_6_are_known_as_broken():
    found = wheel_for("mamba-ssm", "2.2.5", torch="2.6.0", cuda="12.4", python="3.11", abi=False)
    assert isinstance(found, Wheel) and "cannot load" in found.broken
    sound = wheel_for("mamba-ssm", "2.2.4", torch="2.6.0", cuda="12.4", python="3.11", abi=False)
    assert isinstance(sound, Wheel) and not sound.broken


def test_the_newest_release_that_fits_is_not_the_newest_release():
    assert newest("mamba-ssm").version == "2.3.2.post1"
    assert newest_with_wheel("mamba-ssm", **SEED).version == "2.2.4"
    assert newest_with_wheel("mamba-ssm", torch="2.11.0", cuda="13.0", python="3.11", abi=True) is None


@pytest.mark.parametrize("written", ["T4", "h100", "H100!:8", "A100-80GB:4", "L40S:1", "a10g", "B200+", "RTX-PRO-6000"])
def test_gpu_names_as_people_write_them_are_known(written):
    assert gpu(written) is not None


@pytest.mark.parametrize("written", ["A100-80", "RTX4090", "V100", "any", ""])
def test_other_gpu_names_are_unknown(written):
    assert gpu(written) is None


def test_torch_is_known_by_its_minor_and_unknown_beyond_the_table():
    assert torch_row("2.5.1+cu124").pypi_cuda == "12.4"
    assert torch_row("2.10.0").builds == ("cu126", "cu128", "cu130")
    assert torch_row("1.13.1") is None
    assert torch_row("3.0") is None
    assert newest_torch_for("3.11").minor == "2.15"
    assert newest_torch_for("3.10").minor == "2.14"


def test_the_cuda_of_a_torch_comes_from_its_version_then_its_index_then_pypi():
    assert cuda_of("2.2.2+cu118", "https://download.pytorch.org/whl/cu121") == "11.8"
    assert cuda_of("2.2.2", "https://download.pytorch.org/whl/cu121") == "12.1"
    assert cuda_of("2.2.2") == "12.1"
    assert cuda_of("2.11.0") == "13.0"
    assert cuda_of("1.13.1") is None
    assert cuda_of("2.9.0", "https://download.pytorch.org/whl/cpu") == "cpu"


def test_the_cxx11_abi_of_torch_2_6_depends_on_its_build():
    assert has_cxx11_abi("2.6.0") is False
    assert has_cxx11_abi("2.6.0", "cu126") is True
    assert has_cxx11_abi("2.5.1") is False
    assert has_cxx11_abi("2.7.0") is True
    assert has_cxx11_abi("1.0") is None


def test_a_wheel_name_is_read_with_its_plus_sign_encoded_or_not():
    name = wheel_name("https://x/v1/flash_attn-2.7.4.post1%2Bcu12torch2.6cxx11abiFALSE-cp312-cp312-linux_x86_64.whl")
    assert (name.name, name.torch, name.cuda, name.abi, name.python) == ("flash-attn", "2.6", "12", "FALSE", "3.12")
    plain = wheel_name("https://x/deep_gemm-2.0-py3-none-any.whl")
    assert (plain.torch, plain.python) == (None, None)
    stable = wheel_name("https://x/foo-1.0-cp39-abi3-linux_x86_64.whl")
    assert stable.python is None
    assert wheel_name("git+https://github.com/a/b") is None


def test_cuda_tags_that_were_published_have_no_problem():
    for tag in (
        "12.1.1-devel-ubuntu22.04",
        "12.1.0-cudnn8-devel-ubuntu22.04",
        "13.0.0-tensorrt-devel-ubuntu24.04",
        "12.8.1-runtime-rockylinux9",
        "12.4.1-cudnn-devel-ubi8",
    ):
        assert cuda_tag(f"nvidia/cuda:{tag}").problem == "", tag


def test_cuda_tags_that_nobody_published_have_one():
    for tag in (":latest", "", ":12.4-devel-ubuntu22.04", ":12.4.1-ubuntu22.04", ":12.4.1-devel"):
        assert cuda_tag(f"nvidia/cuda{tag}").problem, tag
    assert cuda_tag("ubuntu:22.04") is None
    assert cuda_tag("nvidia/cuda@sha256:0123") is None


def test_other_questions_answer_none_for_the_unknown():
    assert known_image("ghcr.io/someone/thing:1") is None
    assert builder("2030.01") is None
    assert newest_gcc("12.7") is None
    assert extension("numpy") is None
    assert extension_at("git+https://github.com/someone/else") is None
    assert extension_at("git+https://github.com/state-spaces/mamba.git@v2.2.2").name == "mamba-ssm"
    assert pytorch_tag("pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel").cuda == "12.8"
    assert is_on_pytorch_index("nvidia-cublas-cu12") and not is_on_pytorch_index("transformers")
