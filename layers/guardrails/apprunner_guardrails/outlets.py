"""Where alerts go: each channel's rendering, and the call that sends it. Only configured channels are there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from apprunner_guardrails import observe
from apprunner_guardrails.alerts import Alert, Explanation, event, text
from apprunner_guardrails.aws import eventbridge, sns
from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.ledger import Channel, Key
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tell import Send

if TYPE_CHECKING:
    from apprunner_guardrails.alerts.asff import Json
    from apprunner_guardrails.alerts.digest import Digest

# Renderings that most deployments have not chosen, or most invocations do not need, are imported where they are made.

SEPARATE = 5  # resources with a message of their own; an audit that has more to tell puts them into one


class Outlets:
    """The channels of one invocation. `messages` counts what was published to the alert topic."""

    def __init__(self, client: Clients, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self.messages = 0

    def channels(self) -> tuple[Channel, ...]:
        return (
            Channel.TEXT,
            *((Channel.CHAT,) if self._settings.chat_topic_arn else ()),
            Channel.EVENTS,
            *((Channel.SECURITY_HUB,) if self._settings.security_hub else ()),
        )

    def of_alerts(self) -> Mapping[Channel, Send]:
        sends: Mapping[Channel, Send] = {
            Channel.TEXT: self._texts,
            Channel.CHAT: self._chats,
            Channel.EVENTS: self._events,
            Channel.SECURITY_HUB: self._imports,
        }
        return {channel: sends[channel] for channel in self.channels()}

    def of_explanation(self, explanation: Explanation) -> Mapping[Channel, Callable[[], str]]:
        """Security Hub has no place for a call that failed."""
        from apprunner_guardrails.alerts import chat  # noqa: PLC0415

        return {
            Channel.TEXT: lambda: self._publish(text.render_explanation(explanation)),
            Channel.CHAT: lambda: self._chat(chat.render_explanation(explanation)),
            Channel.EVENTS: lambda: self._put([event.explanation_entry(explanation)]).get(0, ""),
        }

    def of_digest(self, one: "Digest") -> Mapping[Channel, Callable[[], str]]:
        """For people; machines have an event for each transition."""
        from apprunner_guardrails.alerts import chat, digest  # noqa: PLC0415

        return {
            Channel.TEXT: lambda: self._publish(digest.render(one)),
            Channel.CHAT: lambda: self._chat(chat.render_digest(one)),
        }

    def _texts(self, alerts: Sequence[Alert]) -> Mapping[Key, str]:
        """A message for each resource, or one for all where there are many."""
        if len(alerts) > SEPARATE:
            why = self._publish(text.render_many(alerts))
            return dict.fromkeys((key for alert in alerts for key in _keys(alert)), why) if why else {}
        failed = [(alert, self._publish(text.render(alert))) for alert in alerts]
        return {key: why for alert, why in failed if why for key in _keys(alert)}

    def _publish(self, message: text.Message) -> str:
        why = sns.publish(self._client, self._settings.alert_topic_arn, message)
        if not why:
            self.messages += 1
            observe.count(Alerts=1)
        return why

    def _chats(self, alerts: Sequence[Alert]) -> Mapping[Key, str]:
        from apprunner_guardrails.alerts import chat  # noqa: PLC0415

        told = [(one.key, chat.render(alert, one)) for alert in alerts for one in alert.transitions]
        failed = sns.publish_batch(self._client, self._settings.chat_topic_arn, [message for _, message in told])
        return {told[place][0]: why for place, why in failed.items()}

    def _chat(self, message: text.Message) -> str:
        return sns.publish_batch(self._client, self._settings.chat_topic_arn, [message]).get(0, "")

    def _events(self, alerts: Sequence[Alert]) -> Mapping[Key, str]:
        told = [(one.key, event.entry(alert, one)) for alert in alerts for one in alert.transitions]
        failed = self._put([entry for _, entry in told])
        return {told[place][0]: why for place, why in failed.items()}

    def _put(self, entries: Sequence[event.Entry]) -> Mapping[int, str]:
        failed: dict[int, str] = {}
        start = 0
        for batch in event.batches(entries):
            refused = eventbridge.put_events(self._client, batch)
            failed |= {start + place: why for place, why in refused.items()}
            start += len(batch)
        return failed

    def _imports(self, alerts: Sequence[Alert]) -> Mapping[Key, str]:
        from apprunner_guardrails.alerts import asff  # noqa: PLC0415
        from apprunner_guardrails.aws import securityhub  # noqa: PLC0415

        told = {str(one["Id"]): (key, one) for key, one in _findings(alerts)}
        failed: dict[Key, str] = {}
        for batch in asff.batches([one for _, one in told.values()]):
            refused = securityhub.import_findings(self._client, batch)
            failed |= {told[name][0]: why for name, why in refused.items()}
        return failed


def _findings(alerts: Iterable[Alert]) -> "Iterable[tuple[Key, Json]]":
    from apprunner_guardrails.alerts import asff  # noqa: PLC0415

    return ((one.key, asff.finding(alert, one)) for alert in alerts for one in alert.transitions)


def _keys(alert: Alert) -> Iterable[Key]:
    return (one.key for one in alert.transitions)
