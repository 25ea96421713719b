"""What noise a simulated run has, as data. Sizes are of logarithms, so that 0.05 is about 5% of a step's time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError
from runner.support.data import read_toml
from runner.support.structure import strict_converter, structure

ALIKE = (1.0, 1.0, 1.0)
TOPOLOGIES = 4


@dataclass(frozen=True)
class Noise:
    """The measured components (components.toml), with their source, and what a block costs in seconds."""

    source: str
    launch: float
    burst: float
    step: float
    steps_in_a_burst: int
    seconds_to_start: float
    seconds_of_a_burst: float


@dataclass(frozen=True)
class Scenario:
    """One kind of noise on top of the measured components. `says` describes it for the table.

    Fields that end in `by_variant` or `by_topology` have a factor for each; a factor of 0 switches the measured
    components of that variant off, or the interference. `promised` is whether the kit promises its coverage there.

    - `interference_in_burst`, `interference_in_launch`: mean of an exponential delay of each burst, of each launch.
    - `drift`: how much slower everything is after each block.
    - `state`, `memory`: deviation of a state of the host that all launches share, and its correlation from one turn to
      the next. `own_state` is that of a state which each variant has for itself, correlated from block to block.
    - `start`: how much slower each later starter of a block is, throughout; `place`: each later burst of a round.
    - `outliers`: the share of bursts that are 50% longer.
    - `slow_launches`: the share of launches that are slower throughout, by `slow_by`.
    """

    name: str
    says: str
    promised: bool = True
    measured: float = 1.0
    noise_by_variant: tuple[float, float, float] = ALIKE
    noise_by_topology: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    interference_in_burst: float = 0.0
    interference_in_launch: float = 0.0
    drift: float = 0.0
    state: float = 0.0
    memory: float = 0.0
    own_state: float = 0.0
    start: float = 0.0
    place: float = 0.0
    outliers: float = 0.0
    slow_launches: float = 0.0
    slow_by: float = 0.0
    disturbed_by_variant: tuple[float, float, float] = ALIKE

    @property
    def is_alike(self) -> bool:
        """Whether all variants have the same noise, as in a comparison of a variant with itself."""
        return self.noise_by_variant == ALIKE == self.disturbed_by_variant and not self.own_state


def load_noise() -> Noise:
    """The measured components.

    Raises:
        UsageError: the file is not as it should be.
    """
    path = Path(__file__).with_name("components.toml")
    return structure(read_toml(path, 1), Noise, str(path), strict_converter(refuses_unknown=True), UsageError)


SCENARIOS = (
    Scenario("log-normal", "the measured components, nothing else"),
    Scenario("one-sided", "each burst also has an exponential delay, 5.5% on average", interference_in_burst=0.055),
    Scenario("one-sided, unequal", "the same, and half as much on the baseline as on the others",
             interference_in_burst=0.078, disturbed_by_variant=(0.5, 1.0, 1.0)),
    Scenario("one-sided launches", "each launch also has an exponential delay, 1.4% on average",
             interference_in_launch=0.014),
    Scenario("drift", "the host becomes 2% slower with each block", drift=0.02),
    Scenario("autocorrelation", "the host has a state of 6%, correlated by 0.9 from turn to turn",
             state=0.06, memory=0.9),
    Scenario("position", "each later starter of a block is 1% slower, and so is each later burst of a round",
             start=0.01, place=0.01),
    Scenario("outliers", "3% of the bursts are 50% longer", outliers=0.03),
    Scenario("outliers on one side", "the same, on the last variant only",
             outliers=0.03, disturbed_by_variant=(0.0, 0.0, 1.0)),
    Scenario("unequal spreads", "topologies with 0.5 to 2 times the noise, variants with 1, 2 and 1.5 times",
             noise_by_topology=(0.5, 0.7, 1.0, 2.0), noise_by_variant=(1.0, 2.0, 1.5)),
    Scenario("two kinds of launches", "three launches in ten are 4% slower throughout",
             slow_launches=0.3, slow_by=0.04),
    Scenario("delayed launches of one variant, little else", "an exponential delay of the last variant's launches, 4% "
             "on average, and a third of the measured components", promised=False, measured=0.33,
             interference_in_launch=0.04, disturbed_by_variant=(0.0, 0.0, 1.0)),
    Scenario("a rare slow launch of one variant", "one launch in ten of the last variant is 20% slower throughout",
             promised=False, slow_launches=0.1, slow_by=0.2, disturbed_by_variant=(0.0, 0.0, 1.0)),
    Scenario("a state that one variant has for itself", "5%, correlated by 0.9 from block to block", promised=False,
             own_state=0.05),
)  # fmt: skip
