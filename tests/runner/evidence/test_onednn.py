"""The verbose lines of oneDNN under all its names, from real logs and in forms that no stack here prints."""

from __future__ import annotations

import pytest

from runner.evidence.onednn import Library, Primitive, parse_verbose
from tests.runner.evidence.captured import captured


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("tf-1.12-intel", Library("MKL-DNN", None, "avx512_common (from the implementations' names)", None, None)),
        ("tf-1.15-intel", Library("MKL-DNN", "0.20.3", "Intel AVX-512 with Intel DL Boost", None, None)),
        ("tf-2.14-stock", Library("oneDNN", "3.2.1", "Intel AVX-512 with Intel DL Boost", "threadpool", 2)),
        ("tf-2.14-intel", Library("oneDNN", "3.2.1", "Intel AVX-512 with Intel DL Boost", "OpenMP", 2)),
    ],
)
def test_the_library_introduces_itself(name: str, library: Library) -> None:
    """Name, version, instruction set, runtime and threads, as far as each era's library says them."""
    assert parse_verbose(captured(name).log).library == library


@pytest.mark.parametrize("name", ["tf-1.12-stock", "tf-1.15-stock"])
def test_a_build_without_the_library_prints_nothing(name: str) -> None:
    found = parse_verbose(captured(name).log)
    assert (found.library, found.primitives) == (None, ())


@pytest.mark.parametrize("name", ["tf-1.12-intel", "tf-1.15-intel", "tf-2.14-intel", "tf-2.14-stock-onednn"])
def test_every_exec_line_counts_once(name: str) -> None:
    """The counts of all primitives add up to the log's exec lines, their times to the last fields of those."""
    log = captured(name).log
    lines = [line for line in log.splitlines() if "_verbose,exec," in line]
    found = parse_verbose(log)
    assert sum(primitive.count for primitive in found.primitives) == len(lines)
    assert sum(primitive.milliseconds for primitive in found.primitives) == pytest.approx(
        sum(float(line.rpartition(",")[2]) for line in lines), rel=1e-4
    )
    assert found.count(["convolution"]) == 25
    assert found.count(["pooling"]) == 25


def test_kind_and_implementation_of_old_and_new_lines() -> None:
    """Version 0.x names no engine in front of the primitive, later ones do."""
    lines = (
        "mkldnn_verbose,exec,convolution,jit:avx512_common,forward_training,fsrc:nchw fwei:Ohwi16o,alg,mb2,13.5\n"
        "dnnl_verbose,exec,cpu,convolution,jit:avx2,forward_training,src_f32,,alg,mb2,1.5\n"
        "onednn_verbose,exec,cpu,convolution,jit:avx2,backward_data,src_f32,,alg,mb2,0.5\n"
        "onednn_verbose,v1,primitive,exec,cpu,batch_normalization,bnorm_jit:avx2,forward_training,d,,f,mb2,0.25\n"
        "onednn_verbose,1717.25,exec,cpu,gemm_api,,undef,src_f32,,,64x64:64x64,0.125\n"
    )
    assert parse_verbose(lines).primitives == (
        Primitive("convolution", "jit:avx512_common", 1, 13.5),
        Primitive("convolution", "jit:avx2", 2, 2.0),
        Primitive("batch_normalization", "bnorm_jit:avx2", 1, 0.25),
        Primitive("gemm_api", "", 1, 0.125),
    )


def test_an_early_version_names_its_instruction_set_with_commas() -> None:
    """MKL-DNN 0.18 has version and instruction set in one line."""
    line = (
        "mkldnn_verbose,info,Intel(R) MKL-DNN v0.18.0 (Git Hash abc),Intel(R) Advanced Vector Extensions 512 with "
        "AVX512BW, AVX512VL, and AVX512DQ extensions\n"
    )
    library = parse_verbose(line).library
    assert library is not None
    assert library.version == "0.18.0"
    assert library.isa is not None
    assert library.isa.endswith("with AVX512BW, AVX512VL, and AVX512DQ extensions")


def test_torn_lines_and_other_output_are_passed_over() -> None:
    """The log has more than one writer: what is cut off does not count, what is on the same line does."""
    lines = (
        "onednn_verbose,exec,cpu,convo\n"
        "onednn_verbose,exec,cpu,convolution,jit:avx2,forward_training,src,,alg,mb2,not a number\n"
        "2023-01-01: I tensorflow: something onednn_verbose,exec,cpu,pooling,jit:avx2,fwd,src,,alg,mb2,0.5\n"
        "a word about onednn_verbose, by the way\n"
    )
    assert parse_verbose(lines).primitives == (Primitive("pooling", "jit:avx2", 1, 0.5),)


def test_reorders_are_a_share_of_the_time_of_all_primitives() -> None:
    """Layout conversions: how often, how long, and which part of the whole."""
    lines = (
        "onednn_verbose,exec,cpu,reorder,jit:uni,undef,,,,8,1\n"
        "onednn_verbose,exec,cpu,reorder,jit:blk,undef,,,,8,2\n"
        "onednn_verbose,exec,cpu,convolution,jit:avx2,fwd,,,alg,mb2,9\n"
    )
    assert parse_verbose(lines).reorders() == {"count": 2, "milliseconds": 3.0, "share": 0.25}
    assert parse_verbose("").reorders()["share"] is None


def test_two_libraries_in_one_process_are_told_apart() -> None:
    """A plug-in has a oneDNN of its own, beside TensorFlow's; the lines of primitives do not say in which they ran."""
    log = (
        "onednn_verbose,v1,info,oneDNN v3.12.0 (commit 80afa71)\n"
        "onednn_verbose,v1,info,cpu,runtime:OpenMP,nthr:2\n"
        "onednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx2,forward_inference,src,,alg,mb2,0.5\n"
        "onednn_verbose,v1,info,oneDNN v3.7.3 (commit N/A)\n"
        "onednn_verbose,v1,info,cpu,runtime:threadpool,nthr:2\n"
        "onednn_verbose,v1,primitive,exec,cpu,gemm_api,,undef,src,,,2x2,0.5\n"
    )
    found = parse_verbose(log)
    assert [(each.version, each.runtime) for each in found.libraries] == [("3.12.0", "OpenMP"), ("3.7.3", "threadpool")]
    assert sorted(each.kind for each in found.primitives) == ["convolution", "gemm_api"]
    assert [each["version"] for each in found.to_json()["further_libraries"]] == ["3.7.3"]
