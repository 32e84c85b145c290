"""What a name, a tag, a session name or an error text could be made to hold, through every field of an alert."""

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st

from apprunner_guardrails.alerts import Alert
from apprunner_guardrails.alerts.digest import Digest, PathLine, digest
from apprunner_guardrails.alerts.kinds import KINDS
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.findings import NOT_JUDGED, Exemption, Severity, Status
from apprunner_guardrails.ledger import Channel, Kind, Record, State, Transition
from tests.unit.alerts.examples import EXPLANATION, NOW, PUBLIC, UNREAD

TEXTS_OF_ATTACK = (
    "\n[HIGH] AR102: VPC connector bank in 123456789012 eu-west-1",
    "x\r\nResource  arn:aws:apprunner:eu-west-1:123456789012:vpcconnector/bank/1/0",
    "x\rCould not be judged:\r- AR101",
    "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg",
    "\u202egnp.exe\u202c\u2066\u2067\u2069",
    "nul\0bell\x07escape\x1b[31mred",
    "lone \ud800 surrogate \udfff",
    "\ufeff\u200b\u00ad",
    "`$(reboot)`; rm -rf / #",
    "https://example.com/?a=1&b=2",
    "www.example.com HTTP://EXAMPLE.COM ftp://example.org mailto:eve@example.com evil\uff0ecom",
    "<!channel> <!here|x> <@U012AB3CD> <https://example.com|our console> @here @everyone #general",
    "[our console](https://example.com) ![x](y) *bold* _it_ ~gone~ ```code``` > quote | cell | \\",
    "<at>everyone</at><script>alert(1)</script>&lt;!channel&gt;",
    '"}],"version":"2","x":{"',
    " \t ",
    "A" * 5_000,
    '"' * 5_000,
    "\U0001f600" * 5_000,
    "<" * 5_000,
    "\n" * 5_000,
)
TEXTS = st.one_of(
    st.sampled_from(TEXTS_OF_ATTACK),
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.text("<>&*_`~[]@|#\\!:/.ab \n", max_size=12),
    st.text(max_size=5),
)
SOME_TEXT = TEXTS.filter(bool)
MESSAGES = st.lists(TEXTS, max_size=4).map(tuple) | TEXTS.map(lambda text: (text,) * 23)
CALLERS = st.builds(Caller, name=TEXTS, tool=TEXTS, address=TEXTS)
EXEMPTIONS = st.builds(Exemption, rule=st.just("AR102"), until=st.just("2026-12-31"), owner=SOME_TEXT, reason=SOME_TEXT)
# "\n" is what parts commands: the rules quote ids, and an id that could hold one cannot be made
COMMANDS = TEXTS.map(lambda text: text.replace("\n", ""))
RULES = st.sampled_from(("AR101", "AR102", "AR202", NOT_JUDGED))
TOLD = st.sampled_from([kind for kind in Kind if kind is not Kind.SEEN])
RECORDS = st.builds(
    Record,
    resource=TEXTS,
    rule=RULES,
    state=st.sampled_from(State),
    severity=st.sampled_from(Severity),
    messages=MESSAGES,
    faults=st.just(()),
    first_seen=st.integers(0, NOW),
    last_seen=st.just(NOW),
    who=TEXTS,
    exempt_until=st.sampled_from(("", "2026-11-21", "2026-12-31")),
    exempt_by=TEXTS,
)


@st.composite
def transitions(draw: st.DrawFn) -> Transition:
    record, kind = draw(RECORDS), draw(TOLD)
    finding = replace(
        PUBLIC,
        resource=record.resource,
        rule=record.rule,
        severity=record.severity,
        messages=draw(MESSAGES),
        command=draw(COMMANDS),
        unread=draw(TEXTS),
        exemption=draw(st.none() | EXEMPTIONS),
    )
    before = draw(st.none() | RECORDS)
    return Transition(kind=kind, finding=finding, record=record, before=before, channels=tuple(Channel))


ALERTS = st.builds(
    Alert,
    resource=TEXTS,
    resource_name=TEXTS,
    resource_type=st.sampled_from(sorted({kind.word for kind in KINDS.values()})),
    account=TEXTS,
    region=TEXTS,
    event_id=TEXTS,
    owner=TEXTS,
    what=TEXTS,
    caller=CALLERS,
    time=TEXTS,
    transitions=st.lists(transitions(), min_size=1, max_size=4).map(tuple),
    unjudged=st.lists(
        st.builds(
            lambda unread, status: replace(UNREAD, unread=unread, status=status),
            unread=SOME_TEXT,
            status=st.sampled_from((Status.UNKNOWN, Status.ERROR, Status.FAIL)),
        ),
        max_size=2,
    ).map(tuple),
    standing=st.sampled_from(((), (PUBLIC,))),
)
EXPLANATIONS = st.builds(
    lambda failed, **texts: replace(EXPLANATION, failed=replace(EXPLANATION.failed, **failed), **texts),
    failed=st.fixed_dictionaries(
        {
            **dict.fromkeys(
                ("id", "what", "source", "code", "message", "resource", "account", "region", "time"), TEXTS
            ),
            "caller": CALLERS,
        }
    ),
    title=TEXTS,
    what=TEXTS,
    causes=MESSAGES,
    commands=COMMANDS,
    cause=TEXTS,
    unread=MESSAGES,
)
DIGESTS: st.SearchStrategy[Digest] = st.builds(
    lambda records, unread, paths, **texts: digest(
        records, now=NOW, connectors=1, services=2, unread=unread, paths=paths, **texts
    ),
    records=st.lists(RECORDS, max_size=5),
    account=TEXTS,
    region=TEXTS,
    event_id=TEXTS,
    unread=MESSAGES,
    paths=st.lists(st.builds(PathLine, line=TEXTS, sound=st.booleans()), max_size=8),
)


def texts(value: object) -> Iterator[str]:
    """All the texts in something made of objects and lists."""
    if isinstance(value, str):
        yield value
    for one in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(one)


def harmless(alert: Alert) -> Alert:
    """The same alert with a plain "x" for all that came from outside, where there was anything."""
    return replace(
        alert,
        resource="x" * bool(alert.resource),
        resource_name="x",
        account="x",
        region="x",
        owner="x" * bool(alert.owner),
        what="x",
        caller=Caller(),
        time="x",
        transitions=tuple(map(_harmless, alert.transitions)),
        unjudged=tuple(replace(one, unread="x") for one in alert.unjudged),
    )


def _harmless(transition: Transition) -> Transition:
    finding, exemption = transition.finding, transition.finding.exemption
    return replace(
        transition,
        finding=replace(
            finding,
            messages=("x",) * len(finding.messages),
            command="\n".join("x" for _ in finding.command.split("\n")) if finding.command else "",
            unread="x" * bool(finding.unread),
            exemption=exemption and replace(exemption, owner="x", reason="x"),
        ),
        record=replace(transition.record, who="x" * bool(transition.record.who), exempt_by="x"),
        before=transition.before,
    )
