"""The parts of a run, each a question with its answer in ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import builds, calls, cold, in_process, verification, warm
from benchmarks.figures import Figure, Section, Table
from benchmarks.rounds import Ratio, ratio, summary
from benchmarks.scenario import Servers
from benchmarks.variants import NOOP, Made, Variant, Variants

_BUILT = ", plain sam build"
_PLAIN = "Powertools + pydantic + boto3 + requests"


@dataclass(frozen=True, slots=True)
class Run:
    """What a part needs. `rounds` is how often everything is measured."""

    made: Made
    servers: Servers
    rounds: int

    @property
    def variants(self) -> Variants:
        """The contenders."""
        return Variants(self.made, self.servers)


def webhook_starts(run: Run) -> Section:
    """How long until a webhook that nobody kept warm has its first delivery."""
    variants = run.variants
    contenders = [variants.noop(), variants.ours("webhook"), variants.without_bytecode("webhook")]
    contenders += [variants.plain("webhook"), *variants.webhook_peers()]
    seen = cold.starts(contenders, rounds=run.rounds)
    of_noop = cold.ratios(seen, NOOP)
    section = Section(
        "webhook-starts",
        "Webhook: from start to the first delivery",
        "A fresh process each time. Ours and the boto3 version answer once the delivery is in SQS; "
        "Rivet and Bolt verify and dispatch, and queue nothing.",
        bars={name: each for name, each in of_noop.items() if name != NOOP},
        bars_of="an empty handler",
    )
    targets = {"Rivet": 0.30, "Rivet, bundled": 0.60, NOOP: 1.5}
    section.figures += _ours_over(seen, "starts/webhook", "webhook, start to first delivery", targets)
    section.tables.append(_starts_table("All contenders", seen))
    return section


def function_starts(run: Run) -> Section:
    """How long until each function answers for the first time, and what bytecode brings."""
    variants = run.variants
    section = Section(
        "function-starts",
        "Every function: from start to its first answer",
        "API functions read the connection, open its token, take a send slot and call Zoom, all for the first time.",
    )
    contenders = {name: variants.ours(name) for name in builds.function_names()}
    known = {name: _renamed(each, name) for name, each in contenders.items() if each.event is not None}
    built = {name: _renamed(variants.without_bytecode(name), f"{name}{_BUILT}") for name in known}
    seen_all = cold.starts([variants.noop(), *known.values(), *built.values()], rounds=run.rounds)
    seen = {name: values for name, values in seen_all.items() if not name.endswith(_BUILT)}
    section.bars = {f"ours: {name}": each for name, each in cold.ratios(seen, NOOP).items() if name != NOOP}
    section.bars_of = "an empty handler"
    meetings = [variants.noop(), variants.ours("meetings"), variants.without_bytecode("meetings")]
    seen_meetings = cold.starts([*meetings, variants.plain("meetings")], rounds=run.rounds)
    section.figures += _ours_over(
        seen_meetings, "starts/meetings", "meetings, start to first answer", {_PLAIN: 0.45, NOOP: 7.5}
    )
    reads = cold.ratios(seen, NOOP)["zoom_api"]
    section.figures.append(Figure("starts/zoom_api", "zoom_api, start to first answer, over no-op", reads, 5.5))
    brought = Table(
        "Ours, as multiples of the same by plain sam build", ("", "start to first answer", "processor time")
    )
    for name in known:
        ours, theirs = seen_all[name], seen_all[f"{name}{_BUILT}"]
        answer = ratio([each.answer for each in ours], [each.answer for each in theirs])
        brought.rows.append((name, str(answer), str(ratio([each.cpu for each in ours], [each.cpu for each in theirs]))))
    section.tables += [_starts_table("Ours", seen), brought, _starts_table("Creating a meeting", seen_meetings)]
    return section


def warm_webhook(run: Run) -> Section:
    """What one more delivery costs."""
    variants = run.variants
    contenders = [variants.noop(), variants.ours("webhook"), variants.plain("webhook"), *variants.webhook_peers()]
    seen = warm.blocks(contenders, rounds=run.rounds, size=60)
    against = seen["boto3"]
    table = Table("One more delivery, as a multiple of the boto3 version's", ("", "processor time", "time to answer"))
    for name, blocks in seen.items():
        cpu = ratio([each.cpu for each in blocks], [each.cpu for each in against])
        seconds = ratio([each.seconds for each in blocks], [each.seconds for each in against])
        table.rows.append((name, str(cpu), str(seconds)))
        if name == "ours":
            figures = [
                Figure("warm/webhook/boto3", "webhook with its SQS send, processor time over boto3's", cpu, 0.5),
                Figure("warm/webhook/boto3/seconds", "the same, time to answer over boto3's", seconds),
            ]
    text = "The function runs already. Ours and the boto3 version send to SQS over TLS; the others send nothing."
    return Section("warm-webhook", "Webhook: one more delivery", text, figures=figures, tables=[table])


def believed(run: Run) -> Section:
    """Which deliveries are believed, and what verifying one takes."""
    variants = run.variants
    contenders = [variants.ours("webhook"), variants.plain("webhook")]
    contenders += [each for each in variants.webhook_peers() if "bundled" not in each.name]
    answers = verification.answers(contenders)
    table = Table("Answers", ("delivery", "right", *(each.name for each in contenders)))
    for case in verification.cases():
        found = answers[case.name]
        cells = [
            found[each.name] if found[each.name] == case.right else f"**{found[each.name]}**" for each in contenders
        ]
        table.rows.append((case.name, case.right, *cells))
    wrong = [sum(answers[c.name][each.name] != c.right for c in verification.cases()) for each in contenders]
    table.rows.append(("wrong in all", "", *(str(each) for each in wrong)))
    section = Section(
        "verification",
        "Which deliveries are believed",
        "Genuine deliveries are signed over the very bytes that arrive. Slack's receivers get the same, signed as "
        "Slack signs. Bold answers are wrong. Our window is 90 minutes, because Zoom repeats deliveries for 85.",
        tables=[table],
    )
    if run.made.node_peers:
        seen = in_process.nanoseconds(run.made, rounds=run.rounds, size=2000)
        alone, whole = (ratio(seen[f"ours, {what}"], seen["Rivet"]) for what in _IN_PROCESS)
        section.figures += [
            Figure("verification/rivet", "verification in process, over Rivet's handling of a delivery", alone, 0.6),
            Figure("verification/rivet/whole", "all our webhook does but the network, over the same", whole),
        ]
    return section


_IN_PROCESS = ("verification alone", "all but the network")


def created_meetings(run: Run) -> Section:
    """What a created meeting costs, beside a bare request and the usual clients."""
    seen = calls.calls(run.made, run.servers, rounds=run.rounds, size=30)
    cpu = {name: [each.cpu for each in values] for name, values in seen.items()}
    opened = calls.connections(run.made, run.servers, size=100)
    own = summary([(ours - bare) * 1000 for ours, bare in zip(cpu["ours"], cpu["requests"], strict=True)])
    labels = {"requests": "one kept-alive request", "plain": _PLAIN}
    table = Table("One created meeting", ("client", "processor time, in bare requests", "connections for 100"))
    for name, values in cpu.items():
        table.rows.append((labels.get(name, name), str(ratio(values, cpu["requests"])), str(opened[name])))
    section = Section(
        "created-meetings",
        "Creating a meeting over TLS",
        "Processor time of the caller's process alone. Ours also finds the connection, opens its token, keeps the "
        "rate budget and validates the body; zoomus and pyzoom shake TLS and read the CA bundle for every call.",
        tables=[table],
        bars={labels.get(name, name): ratio(values, cpu["requests"]) for name, values in cpu.items()},
        bars_of="one kept-alive request",
    )
    section.figures += [
        Figure("calls/own-ms", "a gateway call's own processor time, in milliseconds", own, 2.0),
        *(
            Figure(
                f"calls/{peer}",
                f"processor time per created meeting, over {peer}",
                ratio(cpu["ours"], cpu[peer]),
                1 / 15,
            )
            for peer in ("zoomus", "pyzoom")
        ),
        Figure("calls/plain", f"the same, over {_PLAIN}", ratio(cpu["ours"], cpu["plain"])),
        Figure("calls/connections", "connections to Zoom for 100 calls", summary([float(opened["ours"])]), 1.0),
    ]
    return section


def _ours_over(
    seen: Mapping[str, Sequence[cold.Start]], key: str, text: str, targets: Mapping[str, float]
) -> Iterable[Figure]:
    for base in seen:
        if base != "ours":
            found = cold.ratios(seen, base)["ours"]
            yield Figure(f"{key}/{base}", f"{text}, over {base}", found, targets.get(base))
            if base in targets:
                cpu = cold.ratios(seen, base, what="cpu")["ours"]
                yield Figure(f"{key}/{base}/cpu", f"the same in processor time, over {base}", cpu)


def _starts_table(title: str, seen: Mapping[str, Sequence[cold.Start]]) -> Table:
    table = Table(title, ("", "start to ready", "start to first answer", "processor time", "memory"))
    columns = [cold.ratios(seen, NOOP, what=what) for what in ("ready", "answer", "cpu", "memory_kb")]
    order = sorted(seen, key=lambda name: columns[1][name].median)
    table.rows += [(name, *(_short(column[name]) for column in columns)) for name in order]
    table.note = "Multiples of an empty handler's."
    return table


def _short(value: Ratio) -> str:
    return str(value)


def _renamed(variant: Variant, name: str) -> Variant:
    return Variant(name, variant.program, variant.event, variant.statuses)


SECTIONS: dict[str, Callable[[Run], Section]] = {
    "webhook": webhook_starts,
    "functions": function_starts,
    "warm": warm_webhook,
    "verification": believed,
    "calls": created_meetings,
}
