"""Access control lists: which topics a role may publish to and read, each bound to its user."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from orbitalis_codegen import Model, cli, read_specification
from orbitalis_codegen.emit import emit
from orbitalis_codegen.emit.header import parse_header
from orbitalis_codegen.emit.mosquitto.access import FOLDER, emit_list, part_of_role
from orbitalis_codegen.model import ROLES, Channel, Operation, Parameter
from tests.codegen.broken.cases import LAMPS, edited
from tests.support.repository import ROOT

RULE = re.compile(r"pattern (read|write) (\S.*)")


@pytest.fixture(scope="module")
def lamps() -> Model:
    return read_specification(LAMPS)


def lists_of(model: Model) -> dict[str, str]:
    """Return the list of each role, by file name."""
    return {f"{role}.acl": emit_list(part_of_role(model, role), role) for role in ROLES}


def rules(text: str) -> list[str]:
    """Return the lines of a list that are no comments, each of which has to be a rule."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not RULE.fullmatch(line)] == []
    return [line.removeprefix("pattern ") for line in lines]


def with_channel(model: Model, address: str, *, sends: tuple[str, ...], receives: tuple[str, ...]) -> Model:
    """Return a model that has but one channel, with an operation for each who sends or receives there."""
    names = re.findall(r"{(.*?)}", address)
    channel = replace(
        next(iter(model.channels.values())),
        key="channel",
        address=address,
        parameters=tuple(Parameter(name=name, description="", unknown=None) for name in names),
    )
    some = next(iter(model.operations.values()))
    operations: dict[str, Operation] = {}
    if sends:
        operations["sends"] = replace(some, key="sends", action="send", channel="channel", roles=sends)
    if receives:
        operations["receives"] = replace(some, key="receives", action="receive", channel="channel", roles=receives)
    return replace(model, channels={"channel": channel}, operations=operations)


def access(model: Model) -> dict[str, list[str]]:
    return {name: rules(text) for name, text in lists_of(model).items()}


@pytest.mark.parametrize(
    ("address", "core", "plugin"),
    [
        ("all", "write all", "read all"),
        ("$all", "write $all", "read $all"),
        ("a/{core_identifier}/b", "write a/%u/b", "read a/+/b"),
        ("a/{plugin_identifier}/b", "write a/+/b", "read a/%u/b"),
        ("{plugin_identifier}/{core_identifier}", "write +/%u", "read %u/+"),
        ("{recipient_identifier}/{sender_identifier}/{other}", "write +/%u/+", "read %u/+/+"),
        ("{core_identifier}/of/{sender_identifier}", "write +/of/%u", "read +/of/+"),
    ],
)
def test_each_is_bound_to_its_own_level(lamps: Model, address: str, core: str, plugin: str) -> None:
    model = with_channel(lamps, address, sends=("core",), receives=("plugin",))

    assert access(model) == {"core.acl": [core], "plugin.acl": [plugin], "operator.acl": []}


def test_both_roles_may_do_the_same(lamps: Model) -> None:
    both = ("core", "plugin")
    model = with_channel(lamps, "{recipient_identifier}/{sender_identifier}", sends=both, receives=both)

    assert list(access(model).values()) == [["write +/%u", "read %u/+"]] * 2 + [[]]


def test_what_nobody_of_a_role_does_is_not_allowed(lamps: Model) -> None:
    assert access(with_channel(lamps, "all", sends=("core",), receives=())) == {
        "core.acl": ["write all"],
        "plugin.acl": [],
        "operator.acl": [],
    }


def test_a_rule_stands_once(lamps: Model) -> None:
    model = with_channel(lamps, "all", sends=("core",), receives=())
    model = replace(model, operations={**model.operations, "again": replace(model.operations["sends"], key="again")})

    assert access(model)["core.acl"] == ["write all"]


def test_a_rule_that_binds_nobody_says_so(lamps: Model) -> None:
    text = lists_of(with_channel(lamps, "all/{lamp}", sends=("core",), receives=("plugin",)))

    assert "# No level says who sends, so this goes for every core.\npattern write all/+\n" in text["core.acl"]
    assert "# No level says who receives, so this goes for every plugin.\npattern read all/+\n" in text["plugin.acl"]


def test_a_summary_cannot_become_a_rule(lamps: Model) -> None:
    model = with_channel(lamps, "all", sends=("core",), receives=())
    sends = replace(model.operations["sends"], summary="Say so.\npattern write #\r\x85pattern read #")

    assert access(replace(model, operations={"sends": sends}))["core.acl"] == ["write all"]


def test_the_repository_lets_orbiters_do_what_its_operations_say() -> None:
    model = read_specification(ROOT)

    for role in ROLES:
        found = set(rules((ROOT / FOLDER / f"{role}.acl").read_text()))
        wanted = {
            ("write" if operation.action == "send" else "read", levels(model.channels[operation.channel]))
            for operation in model.operations.values()
            if role in operation.roles
        }
        assert {(rule.split(" ")[0], rule.split(" ")[1].replace("%u", "+")) for rule in found} == wanted
        # Whatever has levels for identifiers is bound, by exactly one of them; wills are read by everybody.
        bound = found - {"read orbitalis/+/will"}
        assert [rule for rule in bound if rule.count("%u") != ("+" in rule or "%u" in rule)] == []


def levels(channel: Channel) -> str:
    return re.sub(r"{.*?}", "+", channel.address)


def test_headers_drift_and_stale_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = edited(tmp_path)
    assert cli.main(["--root", str(root), "generate"]) == 0
    path = root / FOLDER / "core.acl"
    header = parse_header(path.read_bytes())
    assert header is not None
    assert header.intact
    assert path.read_bytes() == emit(read_specification(root))[f"{FOLDER}/core.acl"]
    with path.open("a") as stream:
        stream.write("pattern readwrite #\n")
    (root / FOLDER / "old.acl").write_bytes(b"")
    capsys.readouterr()

    assert cli.main(["--root", str(root), "check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{FOLDER}/core.acl: changed by hand: its content is not what its header says",
        f"{FOLDER}/old.acl: stale: nothing in the specification gives this file any more",
    ]
    assert cli.main(["--root", str(root), "generate"]) == 0
    assert f"wrote {FOLDER}/core.acl\nremoved {FOLDER}/old.acl\n" in capsys.readouterr().out
    assert cli.main(["--root", str(root), "check"]) == 0
