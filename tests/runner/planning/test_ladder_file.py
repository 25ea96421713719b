"""Ladders as data: what the built-in ones say, how rungs resolve on a stack and a pin, and in which order they run."""

from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.catalogue.debian_libraries import find_allocator
from runner.catalogue.stacks import Stack, Variant, find_stack, load_stacks
from runner.errors import UsageError
from runner.host.pin import Pin, choose_pin
from runner.machine import Machine, Processor, Sysroot, read_machine
from runner.planning.ladder_file import BUILT_IN, WHOLE, Ladder, load_ladder
from runner.planning.ladder_plan import block_orders, ends
from runner.planning.resolve_ladder import ladder_pins, plan_rungs
from runner.planning.rungs import PlannedRung
from runner.storage.header_json import recorded
from tests.runner.builders import PIN
from tests.runner.sysroots import ec2_c5_18xlarge, isolated, write

LADDERS = sorted(path.stem for path in BUILT_IN.glob("*.toml"))
# The stacks that have Intel's build, which the ladders lead to.
ERAS = {name for name, stack in load_stacks().items() if stack.vendors_build}


def processor(*isa: str, vendor: str = "GenuineIntel") -> Processor:
    """A processor of which only the vendor and the instruction sets are known."""
    return Processor("", vendor, None, None, None, "", isa)


AVX512 = processor("avx", "avx2", "avx512f", "avx512_vnni")
# A host with two cores of two logical CPUs each.
PINS: dict[str, Pin | None] = {
    "all": Pin(cores=((0, 2), (1, 3)), mems=(0,), nodes=1, sockets=1),
    "pinned": PIN,
    "headroom": Pin(cores=((1,),), mems=(0,), nodes=1, sockets=1),
}


def planned(
    stack: Stack | None = None, ladder: str = "main", pins: dict[str, Pin | None] | None = None
) -> dict[str, PlannedRung]:
    """A built-in ladder resolved, by the rungs' ids."""
    rungs = plan_rungs(load_ladder(ladder), stack or find_stack("tf-2.14"), PINS if pins is None else pins, AVX512)
    return {rung.id: rung for rung in rungs}


@pytest.mark.parametrize("name", LADDERS)
def test_every_rung_names_a_sentence_a_source_and_only_stacks_that_are_meant(name: str) -> None:
    """No rung is without the sentence it tests, and a slip in a stack's name does not silently drop one."""
    ladder = load_ladder(name)
    for rung in (*ladder.rungs, *ladder.branches):
        assert rung.sentence.strip()
        assert rung.source.strip()
        assert set(rung.stacks) <= ERAS


def test_a_stack_without_intels_build_leaves_its_rungs_out_and_keeps_the_others() -> None:
    """A variant that no stack has is a slip, and is refused."""
    found = planned(find_stack("tf-2.21"))
    assert found["intel-kernels"].left_out == "tf-2.21 has no variant intel"
    assert found["omp-num-threads"].settings.variant == "stock"
    assert not found["omp-num-threads"].left_out
    with pytest.raises(UsageError, match=r"first rung, blocktime-0, .* tf-2\.21 has no variant intel"):
        planned(find_stack("tf-2.21"), "blocktime")


@pytest.mark.parametrize("name", LADDERS)
@pytest.mark.parametrize("stack", sorted(ERAS))
def test_every_ladder_resolves_on_every_stack_or_says_why_not(name: str, stack: str) -> None:
    """A rung that cannot be had has a reason; the ISA's ladder needs a oneDNN that knows limits."""
    ladder = load_ladder(name)
    refused = {"isa": "TensorFlow 1", "allocators": "has no variant stock-onednn"}
    if name in refused and stack != "tf-2.14":
        with pytest.raises(UsageError, match=refused[name]):
            plan_rungs(ladder, find_stack(stack), PINS, AVX512)
        return
    rungs = plan_rungs(ladder, find_stack(stack), PINS, AVX512)
    assert [rung.id for rung in rungs] == [rung.id for rung in (*ladder.rungs, *ladder.branches)]
    run = [rung for rung in rungs if not rung.left_out]
    assert all(rung.changes for rung in run if rung.of)
    assert not any(rung.changes for rung in rungs if rung.left_out)


def test_the_main_ladder_of_tf_2_14_is_the_issues() -> None:
    """From no setting at all to Intel's wheel with every BKM; each rung changes what its name says and nothing else."""
    rungs = planned()
    changed = {name: [change[0] for change in rung.changes] for name, rung in rungs.items()}
    assert changed == {
        "as-shipped": [],
        "onednn-off": ["TF_ENABLE_ONEDNN_OPTS"],
        "pinned": ["pin"],
        "threads": ["intra_op_threads"],
        "intel-kernels-off": ["wheel", "TF_DISABLE_MKL", "TF_ENABLE_ONEDNN_OPTS"],
        "intel-kernels": ["TF_DISABLE_MKL"],
        "omp-num-threads": ["OMP_NUM_THREADS"],
        "kmp-affinity": ["KMP_AFFINITY"],
        "kmp-blocktime": ["KMP_BLOCKTIME"],
        "omp-proc-bind": ["OMP_PROC_BIND"],
        "inter-op": ["inter_op_threads"],
        "nchw": [],
        "one-thread": ["intra_op_threads"],
        "nchw-branch": ["layout"],
        "graph-as-built": ["graph_optimisation"],
        "intra-op-default": ["intra_op_threads"],
        "kmp-settings": ["KMP_SETTINGS"],
        "headroom": ["pin", "intra_op_threads", "OMP_NUM_THREADS"],
        "unpinned": ["pin", "KMP_AFFINITY"],
        "vendor-check-lifted": [],
    }
    first = rungs["as-shipped"].settings
    assert not [name for name in first.environment if name not in ("LANG", "PYTHONHASHSEED")]
    assert (first.intra_op_threads, first.inter_op_threads, first.pin.cpus) == (0, 0, (0, 1, 2, 3))
    assert rungs["nchw"].left_out.startswith("not on tf-2.14: on TensorFlow 2")
    assert rungs["one-thread"].of == "threads"
    assert {rungs[name].of for name in ("nchw-branch", "graph-as-built", "headroom", "unpinned")} == {"inter-op"}


def test_tf_1_12_has_no_switch_for_its_kernels_and_ends_in_nchw() -> None:
    """Intel's kernels come in one rung with its wheel, the layout is a rung of its own, branches hang off it."""
    rungs = planned(find_stack("tf-1.12"))
    assert "TF_DISABLE_MKL came later" in rungs["intel-kernels-off"].left_out
    assert (rungs["intel-kernels"].of, rungs["intel-kernels"].changes[0][0]) == ("threads", "wheel")
    assert "nothing to change" in rungs["onednn-off"].left_out
    assert rungs["nchw"].changes == (("layout", "NHWC", "NCHW"),)
    assert rungs["graph-as-built"].of == "nchw"
    assert "a rung of the ladder itself" in rungs["nchw-branch"].left_out


def test_tf_1_15_knows_the_switch_for_its_kernels() -> None:
    """On 1.15 wheel and kernels are separate rungs."""
    assert planned(find_stack("tf-1.15"))["intel-kernels"].changes == (("TF_DISABLE_MKL", "1", "not set"),)


def test_a_host_where_the_pin_is_every_cpu_leaves_pinning_out_and_one_core_has_no_headroom() -> None:
    """What would be launched alike is not launched twice; what cannot be had says so."""
    one = Pin(cores=((0,),), mems=(0,), nodes=1, sockets=1)
    rungs = planned(pins={"all": one, "pinned": one, "headroom": None})
    assert "nothing to change" in rungs["pinned"].left_out
    assert "nothing to change" in rungs["unpinned"].left_out
    assert rungs["headroom"].left_out == "this host has no core to spare"
    assert "nothing to change" in rungs["one-thread"].left_out


def test_an_isa_that_the_processor_lacks_is_left_out() -> None:
    """A limit above what there is would limit nothing."""
    rungs = plan_rungs(load_ladder("isa"), find_stack("tf-2.14"), PINS, processor("avx", "avx2"))
    assert [rung.left_out for rung in rungs if rung.id in ("sse41", "avx2")] == ["", ""]
    assert rungs[2].left_out == "this processor has none of avx512f"


@pytest.mark.parametrize(
    ("stack", "vendor", "left_out"),
    [
        ("tf-1.12", "AuthenticAMD", ""),
        ("tf-1.15", "AuthenticAMD", ""),
        ("tf-1.12", "GenuineIntel", "the library's check of the vendor does not hold back a processor of GenuineIntel"),
        ("tf-1.12", "", "the library's check of the vendor does not hold back a processor of an unknown vendor"),
        ("tf-2.14", "AuthenticAMD",
         "no library of intel-tensorflow==2.14.0 is known to choose its code by the processor's vendor"),
    ],
)  # fmt: skip
def test_mkls_check_of_the_vendor_is_lifted_where_it_holds_the_processor_back(
    stack: str, vendor: str, left_out: str
) -> None:
    """The branch sets the one variable that stacks.toml declares, and says why it is left out elsewhere."""
    rungs = plan_rungs(load_ladder("main"), find_stack(stack), PINS, processor("avx2", vendor=vendor))
    branch = next(rung for rung in rungs if rung.id == "vendor-check-lifted")
    assert branch.left_out == left_out
    assert branch.changes == (() if left_out else (("MKL_DEBUG_CPU_TYPE", "not set", "5"),))


def test_the_pins_of_a_ladder_on_the_articles_host(tmp_path: Path) -> None:
    """All 72 logical CPUs, the pin's 36, and with headroom one core less."""
    write(ec2_c5_18xlarge(), tmp_path)
    machine: Machine = read_machine(Sysroot(tmp_path))
    pins = ladder_pins(machine, choose_pin(machine))
    assert [len(pin.cpus) if pin else 0 for pin in pins.values()] == [72, 36, 35]


def test_a_ladder_keeps_off_isolated_cpus_unless_its_pin_is_on_them(tmp_path: Path) -> None:
    """Stock as shipped gains nothing where it cannot spread; a pin that names isolated CPUs has them in all rungs."""
    machine: Machine = read_machine(write(isolated(None), tmp_path))
    for cpus, expected in ((None, ["0-3", "0-3", "1-3"]), (frozenset({4, 5}), ["0-7", "4-5", "5"])):
        pins = ladder_pins(machine, choose_pin(machine, cpus=cpus))
        assert [pin and pin.cpu_list for pin in pins.values()] == expected


def test_a_rung_survives_its_json() -> None:
    """run.json keeps enough of it for the report."""
    for rung in planned().values():
        assert recorded(json.loads(json.dumps(rung.to_json())), PlannedRung, "a rung") == rung


@given(st.integers(1, 5).map(lambda half: 2 * half), st.integers(0, 10**6))
def test_blocks_are_mirrored_and_the_whole_stands_back_to_back_at_the_outer_end(blocks: int, seed: int) -> None:
    """Every rung runs before every other as often as after it, also the whole's two launches, which are neighbours."""
    rungs = tuple(planned().values())
    whole = {WHOLE + rung.id for rung in ends(rungs)}
    names = {rung.id for rung in rungs if not rung.left_out} | whole
    orders = block_orders(rungs, blocks, random.Random(seed))
    for first, second in zip(orders[::2], orders[1::2], strict=True):
        assert set(first) == names
        assert second == first[::-1]
        assert set(first[:2]) == whole
    for one, other in combinations(sorted(names), 2):
        assert sum(order.index(one) < order.index(other) for order in orders) == blocks / 2


def variant(name: str) -> Variant:
    """A variant of tf-2.14."""
    return find_stack("tf-2.14").variants[name]


MINE = """schema_version = 1
name = "mine"
title = "t"
source = "s"
bkms = "article"
[[rungs]]
id = "one"
title = "t"
sentence = "s"
source = "s"
variant = "stock"
layout = "declared"
pin = "pinned"
[[rungs]]
id = "two"
title = "t"
sentence = "s"
source = "s"
bkms = ["OMP_NUM_THREADS"]
acts_through = ["openmp"]
[[branches]]
id = "three"
title = "t"
sentence = "s"
source = "s"
of = "one"
set = { KMP_BLOCKTIME = "7" }
"""


def mine(tmp_path: Path, old: str = "", new: str = "") -> Ladder:
    """A ladder of a user's own, with one change to its text."""
    path = tmp_path / "mine.toml"
    assert old in MINE
    path.write_text(MINE.replace(old, new, 1) if old else MINE)
    return load_ladder(str(path))


def test_a_users_own_ladder_takes_the_variants_declared_layout(tmp_path: Path) -> None:
    rungs = plan_rungs(mine(tmp_path), find_stack("tf-2.14"), PINS, AVX512)
    assert rungs[0].settings.layout == variant("stock").layout
    assert rungs[2].changes == (("KMP_BLOCKTIME", "not set", "7"),)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("sentence =", "sentense =", "lacks sentence"),
        ('bkms = ["OMP_NUM_THREADS"]', 'bkms = ["OMP_NUM_THREAD"]', "Did you mean OMP_NUM_THREADS"),
        ('bkms = ["OMP_NUM_THREADS"]\n', "", "changes nothing"),
        ('acts_through = ["openmp"]', 'acts_through = ["openmpi"]', "sign of a change"),
        ('id = "two"', 'id = "one"', "cannot be a rung's id"),
        ('id = "two"', 'id = "whole-two"', "cannot be a rung's id"),
        ('of = "one"', 'of = "four"', "rung that the branch three is of"),
        ('pin = "pinned"', 'pin = "pined"', "Did you mean pinned"),
        ('pin = "pinned"\n', "", "lacks pin"),
        ('set = { KMP_BLOCKTIME = "7" }', 'intra_op_threads = "7"', "three.intra_op_threads is '7'; a whole number"),
        ('set = { KMP_BLOCKTIME = "7" }', "set = { KMP_BLOCKTIME = 7 }", "set.KMP_BLOCKTIME is 7; a text"),
        ('set = { KMP_BLOCKTIME = "7" }', 'layout = "NHWC"\nstacks = ["tf-2.14"]', "go together"),
        ('bkms = "article"', 'bkms = "artikle"', "Did you mean article"),
    ],
)
def test_a_malformed_ladder_is_refused_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        mine(tmp_path, old, new)


def test_a_ladder_whose_variant_the_stack_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean stock"):
        plan_rungs(mine(tmp_path, 'variant = "stock"', 'variant = "stok"'), find_stack("tf-2.14"), PINS, AVX512)


def test_the_ladder_of_allocators_changes_the_allocator_alone() -> None:
    """Beside it jemalloc gets the setting that Intel's launcher gives it, and in a branch of its own none."""
    rungs = planned(find_stack("tf-2.21"), "allocators")
    assert {name: rung.changes for name, rung in rungs.items()} == {
        "c-library": (),
        "jemalloc": (
            ("allocator", "the C library's", "jemalloc"),
            ("MALLOC_CONF", "not set", "oversize_threshold:1,background_thread:true,metadata_thp:auto"),
        ),
        "jemalloc-defaults": (("allocator", "the C library's", "jemalloc"),),
        "tcmalloc": (("allocator", "the C library's", "tcmalloc"),),
    }
    assert rungs["tcmalloc"].settings.allocator == find_allocator("tcmalloc").as_allocator


@pytest.mark.parametrize(
    ("name", "words"), [("jemaloc", "Did you mean jemalloc"), ("libgomp", "no allocator 'libgomp'")]
)
def test_what_is_no_allocator_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        mine(tmp_path, 'pin = "pinned"', f'pin = "pinned"\nallocator = "{name}"')


def test_an_unknown_ladder_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Known: allocators, blocktime, isa, main"):
        load_ladder("min")
