"""The report: what was done, what was lost, which points were passed."""

import collections

#: Fault × durability: what may be lost. All else: nothing.
MAY_LOSE = [
    ("fault", "sqlite (`disk`)", "redis always (`disk`)",
     "redis everysec, sentinel (`interval`)"),
    ("server killed or stopped anywhere", "nothing", "nothing", "nothing"),
    ("store process stopped", "–", "nothing", "nothing"),
    ("store process killed", "–", "nothing",
     "three seconds: a slow sync holds writes back; nothing answered as "
     "`local`"),
    ("server cut off from the store", "–", "nothing", "nothing"),
    ("maxmemory reached", "–", "nothing; submits are refused",
     "nothing; submits are refused"),
    ("disk full (tmpfs in a mount namespace)", "nothing", "nothing",
     "nothing"),
    ("clock ten minutes off", "nothing (what waits for a time waits as long)",
     "nothing", "nothing"),
    ("saturated cores", "nothing", "nothing", "nothing"),
    ("a replica that lags is promoted", "–", "not covered by `disk`",
     "three seconds, as for a power cut; nothing answered as `replica` or "
     "`local`"),
    ("a Sentinel promotes the copy: the master dead, frozen, or asked to",
     "–", "–", "what the copy lagged, and the second in which an old master is "
     "believed; nothing answered as `replica` or `local`"),
    ("a server dies with a spool, or while it stores a batch", "nothing; all "
     "of the batch or none", "nothing; all or none", "nothing; all or none"),
    ("power cut: tail of the log gone", "not tried (synced)",
     "not covered by a cut that a synced log cannot have",
     "three seconds of submits and outcomes; effects may double; nothing "
     "answered as `local`"),
]


def table(rows):
    head, *rest = rows
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rest]
    return "\n".join(lines)


def seconds(value):
    return f"{value:.1f} s" if value else "–"


def write(path, runs, asked):
    """@return the exit code"""
    hits, points = collections.Counter(), collections.Counter()
    for run in runs:
        hits.update(run.hits)
        points.update(run.points)
    # The short form breaks at some points only, but passes them all.
    never = [name for name, count in hits.items()
             if count == 0 or (points[name] == 0 and not asked.short)]
    wrong = [f"{run.kind}: {text}" for run in runs for text in run.wrong]
    missing = [f"{run.kind}: {name}" for run in runs
               for name in run.missing(asked.short)]
    cannot = {name: why for run in runs for name, why in run.cannot.items()}
    faults = sum(sum(run.counts.values()) for run in runs)
    parts = [
        "# Chaos",
        *(f"**Not on this machine: {name}, since {why}.**"
          for name, why in cannot.items()),
        *(f"**Expected, and never happened: {name}.**" for name in missing),
        f"Seed {asked.seed}",
        table([("store", "faults", "jobs", "lost", "doubled", "forgiven",
                "slowest recovery")] + [
            (run.kind, sum(run.counts.values()), len(run.ledger.jobs),
             run.lost, run.doubled, len(run.forgiven),
             f"{max(run.slowest.values(), default=0):.1f} s")
            for run in runs] + [
            ("all", faults, sum(len(run.ledger.jobs) for run in runs),
             sum(run.lost for run in runs), sum(run.doubled for run in runs),
             sum(len(run.forgiven) for run in runs), "")]),
        "## What may be lost", table(MAY_LOSE), "## Faults",
        table([("fault", *(run.kind for run in runs), "slowest recovery")] + [
            (name, *(run.counts[name] for run in runs),
             seconds(max(run.slowest[name] for run in runs)))
            for name in sorted({n for run in runs for n in run.counts})]),
        "## Measured",
        table([("what", *(run.kind for run in runs))] + [
            (what, *(f"{run.measured.get(what, 0):.2f}" for run in runs))
            for what in sorted({w for run in runs for w in run.measured})]),
        "## Fault points", table([("point", "passed", "faults there")] + [
            (name, hits[name], points[name]) for name in hits]),
    ]
    if never:
        parts.append(f"**Never passed, or nothing broken there: {', '.join(never)}**")
    parts.append("## Wrong\n" + ("\n".join(f"- {text}" for text in wrong)
                                 or "Nothing."))
    left = [f"{run.kind}: {name}" for run in runs for name in run.left]
    if left:
        parts.append("## Staging folders left by servers that died between an "
                     "outcome and its removal\n"
                     + "\n".join(f"- {name}" for name in left[:50]))
    forgiven = [text for run in runs for text in run.forgiven]
    if forgiven:
        parts.append("## Not covered by the durability, and seen\n"
                     + "\n".join(f"- {text}" for text in forgiven[:50]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n")
    for name, why in cannot.items():
        print(f"not on this machine: {name}, since {why}")
    print(f"{faults} faults, {len(wrong)} wrong, never passed: {never}, "
          f"never happened: {missing}, staged and left: {len(left)}; {path}")
    return 1 if wrong or never or missing else 0
