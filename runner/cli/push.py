"""`push`: sends the images of stacks to a registry, under tags that never change, and writes an images lock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner import __version__
from runner.catalogue.stacks import IMAGES, Stack, every_installation
from runner.cli.engines import Engines
from runner.cli.layers import LayerProgress
from runner.cli.progress import say
from runner.cli.registries import credentials_for, ecr_for
from runner.engines.docker_sdk import Docker
from runner.errors import EXIT_DONE, UsageError
from runner.registry import ecr, ecr_calls, image_lock
from runner.registry.built import Built, find_built
from runner.registry.image_lock import ImageLock
from runner.registry.lifecycle import keep_last, read_policy
from runner.registry.push import push
from runner.registry.reference import Repository, parse_repository
from runner.registry.transfer import RegistryClient
from runner.session.options import RegistryOptions
from runner.session.planned import stacks_from
from runner.support.machine_lock import machine_lock
from runner.support.revision import revision


@dataclass(frozen=True)
class Options:
    """What the command line asks for: `to` is a repository, `images` the lock to write; the rest is Amazon ECR's."""

    to: str
    stack: tuple[str, ...] | None
    images: Path
    dry_run: bool
    encryption: str | None
    kms_key: str | None
    keep_last: int | None
    lifecycle_policy: Path | None
    registry: RegistryOptions

    @property
    def of_ecr(self) -> dict[str, object]:
        """Every option that only Amazon ECR has."""
        return {
            "--keep-last": self.keep_last,
            "--lifecycle-policy": self.lifecycle_policy,
            "--encryption": self.encryption,
            "--kms-key": self.kms_key,
            "--region": self.registry.region,
            "--profile": self.registry.profile,
        }


def run(options: Options, _engines: Engines) -> int:
    """Push what `build` made and write the lock; with --dry-run print every call and make none."""
    stacks = stacks_from(options.stack)
    settings = _settings(options, stacks)
    kit = {"version": __version__, "revision": revision(IMAGES.parent)}
    images = image_lock.kept(options.images, kit, [stack.name for stack in stacks])
    parse_repository(options.to.removeprefix(ecr_calls.OWN_REGISTRY))  # a wrong name is refused before anything else
    docker = Docker.connect()
    built = [find_built(docker, stack, each) for stack, each in every_installation(stacks)]
    if options.dry_run:
        _print_calls(options, settings, built, list(images))
        return EXIT_DONE
    repository = _repository(options)
    registry = ecr_for(repository, options.registry)
    if registry is None:
        _refuse_ecr_options(options, repository)
    else:
        registry.make_ready(repository.path, settings, say)
    registry_client = RegistryClient(repository.host, registry or credentials_for(repository, options.registry), say)
    with machine_lock("push"):  # packing layers would slow down a measurement
        for each in built:
            with LayerProgress() as progress:
                digest = push(docker, each.push_to(repository), registry_client, progress)
            images |= each.locked(repository, digest)
    image_lock.write(options.images, ImageLock(kit, images))
    say(f"written: {options.images}. On another machine, run: python -m runner compare --images {options.images}")
    return EXIT_DONE


def _settings(options: Options, stacks: Sequence[Stack]) -> ecr_calls.Settings:
    lifecycle = None
    if options.keep_last is not None:
        lifecycle = keep_last(options.keep_last, [each for _, each in every_installation(stacks)])
    elif options.lifecycle_policy is not None:
        lifecycle = read_policy(options.lifecycle_policy)
    encryption = options.encryption or (ecr_calls.Settings.encryption if options.kms_key is None else "KMS")
    if options.kms_key is not None and encryption == ecr_calls.Settings.encryption:
        raise UsageError("--kms-key goes with --encryption KMS or KMS_DSSE; AES256 takes no key.")
    return ecr_calls.Settings(encryption, options.kms_key, lifecycle)


def _repository(options: Options) -> Repository:
    """The repository of --to; for ecr:NAME, AWS is asked for the account and the region."""
    if not options.to.startswith(ecr_calls.OWN_REGISTRY):
        return parse_repository(options.to)
    session = ecr.open_session(options.registry.profile)
    region = ecr.region_of(session, options.registry.region)
    return ecr.own_registry(session, region, options.to.removeprefix(ecr_calls.OWN_REGISTRY))


def _refuse_ecr_options(options: Options, repository: Repository) -> None:
    """Refuse options that would have no effect.

    Raises:
        UsageError: an option is for Amazon ECR, and the registry is another one.
    """
    for name, value in options.of_ecr.items():
        if value is not None:
            raise UsageError(
                f"{name} is for Amazon ECR, and {repository.host} is not one of its registries "
                "(ACCOUNT.dkr.ecr.REGION.amazonaws.com)."
            )


def _print_calls(options: Options, settings: ecr_calls.Settings, built: Sequence[Built], kept: Sequence[str]) -> None:
    """Print every call that `run` would make, in order; a remark says if a call depends on an answer."""
    if options.to.startswith(ecr_calls.OWN_REGISTRY):
        region = ecr.region_of(ecr.open_session(options.registry.profile), options.registry.region)
        say(ecr_calls.IDENTITY_CALL.line())
        where: ecr_calls.EcrHost | None = ecr_calls.EcrHost("ACCOUNT", region)
        path = options.to.removeprefix(ecr_calls.OWN_REGISTRY)
        repository = Repository(ecr_calls.own_host("ACCOUNT", region), path)
    else:
        repository = parse_repository(options.to)
        where = ecr_calls.ecr_host(repository.host)
    if where is None:
        _refuse_ecr_options(options, repository)
    else:
        say(ecr_calls.describe_call(where, repository.path).line())
        say(f"{ecr_calls.create_call(where, repository.path, settings).line()}   (if it is missing)")
        if settings.lifecycle is not None:
            say(ecr_calls.lifecycle_call(where, repository.path, settings.lifecycle).line())
        say(f"{ecr_calls.token_call(where).line()}   (again when it expires)")
    for each in built:
        wanted = each.push_to(repository)
        say(f"registry: what is {wanted.target}?")
        say(f"docker tag {wanted.image_id} {wanted.target}   (if it is not there)")
        say(f"docker push {wanted.target}   (if it is not there)")
        say(f"registry: what is {wanted.target}?   (is it what was sent?)")
    names = [*kept, *(name for each in built for name in each.locked(repository, ""))]
    say(f"write {options.images}: {json.dumps(names)}")
