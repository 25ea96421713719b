"""The switches of a probe: all names for every era, and nothing that changes what is looked at."""

from __future__ import annotations

from runner.evidence.verbose import load_switches, with_switches


def test_every_era_finds_the_switch_it_knows() -> None:
    """The three names of oneDNN and OpenMP's settings are set whatever the stack."""
    environment = with_switches({})
    names = ("ONEDNN_VERBOSE", "DNNL_VERBOSE", "MKLDNN_VERBOSE", "KMP_SETTINGS")
    assert {name: environment[name] for name in names} == dict.fromkeys(names, "1")


def test_a_setting_of_the_launch_keeps_its_meaning() -> None:
    """KMP_AFFINITY gets one word more, once, and everything else stays."""
    environment = with_switches({"KMP_AFFINITY": "granularity=fine,compact,1,0", "OMP_NUM_THREADS": "2"})
    assert environment["KMP_AFFINITY"] == "verbose,granularity=fine,compact,1,0"
    assert environment["OMP_NUM_THREADS"] == "2"
    assert with_switches({"KMP_AFFINITY": "fine,verbose,compact"})["KMP_AFFINITY"] == "fine,verbose,compact"


def test_a_binding_by_other_means_is_not_overridden() -> None:
    """KMP_AFFINITY would replace OMP_PROC_BIND, so that the probe would show another binding than the launches have."""
    assert "KMP_AFFINITY" not in with_switches({"OMP_PROC_BIND": "true"})
    assert with_switches({})["KMP_AFFINITY"] == "verbose"


def test_every_switch_has_a_reason_and_a_source() -> None:
    """Each also says which stacks read it."""
    assert all(each.reason and each.source and each.read_by for each in load_switches())
