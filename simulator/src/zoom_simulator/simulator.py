"""The services of one simulated Zoom."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from zoom_simulator.authorization.grants import Grants
from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock, Timetable
from zoom_simulator.faults import Faults
from zoom_simulator.ids import Ids
from zoom_simulator.limits import Limits
from zoom_simulator.live.meetings import LiveMeetings
from zoom_simulator.live.recordings import Recorder
from zoom_simulator.meetings.definitions import Meetings
from zoom_simulator.meetings.registration import Registration
from zoom_simulator.model import Meeting, State, Subscription
from zoom_simulator.seed import Scopes, Settings, first_state, install_app
from zoom_simulator.users import UserTokens
from zoom_simulator.webhooks import payloads
from zoom_simulator.webhooks.account_events import AccountEvents
from zoom_simulator.webhooks.deliveries import DeliveryQueue
from zoom_simulator.webhooks.endpoint_validation import Validator
from zoom_simulator.webhooks.publisher import Publisher
from zoom_simulator.webhooks.sender import HttpSender, Sender, WebhookClient
from zoom_simulator.world import World

TRASH_SECONDS = 30 * 86_400


class Simulator:
    """One Zoom: its state and the services that work on it. Clock, ids and behaviour can be passed in."""

    def __init__(
        self,
        settings: Settings,
        scopes: Scopes,
        *,
        state: State | None = None,
        behaviour: Behaviour | None = None,
        clock: Clock | None = None,
        seed: int | None = None,
        sender: Sender | None = None,
    ) -> None:
        self.settings = settings
        self.base_url = self.settings.base_url.rstrip("/")
        self.clock = clock or Clock()
        self.ids = Ids(seed)
        self.behaviour = behaviour or Behaviour()
        self.state = state or first_state(self.ids, self.settings, self.clock.now())
        self.world = World(self.state)
        self.faults = Faults()
        self.limits = Limits(self.behaviour)
        self.mishaps: list[str] = []
        self.timetable = Timetable(self.clock, self._note_failure)
        self.sender = sender or HttpSender()
        self.app = install_app(self.state, self.settings, scopes)
        client = WebhookClient(clock=self.clock, ids=self.ids, behaviour=self.behaviour, sender=self.sender)
        self.deliveries = DeliveryQueue(
            self.state,
            clock=self.clock,
            ids=self.ids,
            behaviour=self.behaviour,
            timetable=self.timetable,
            faults=self.faults,
            client=client,
        )
        self.publisher = Publisher(self.state, clock=self.clock, behaviour=self.behaviour, deliveries=self.deliveries)
        self.validator = Validator(
            self.state,
            clock=self.clock,
            ids=self.ids,
            behaviour=self.behaviour,
            timetable=self.timetable,
            client=client,
        )
        self.account_events = AccountEvents(self.publisher, clock=self.clock, ids=self.ids, behaviour=self.behaviour)
        self.user_tokens = UserTokens(self.state)
        self.meetings = Meetings(self.world, clock=self.clock, ids=self.ids, behaviour=self.behaviour)
        self.grants = Grants(
            self.state,
            ids=self.ids,
            behaviour=self.behaviour,
            base_url=self.base_url,
            on_deauthorized=self.account_events.deauthorized,
        )
        self.registration = Registration(
            meetings=self.meetings,
            publisher=self.publisher,
            clock=self.clock,
            ids=self.ids,
            behaviour=self.behaviour,
            base_url=self.base_url,
        )
        self.recorder = Recorder(
            self.state,
            publisher=self.publisher,
            clock=self.clock,
            ids=self.ids,
            behaviour=self.behaviour,
            timetable=self.timetable,
            base_url=self.base_url,
        )
        self.live = LiveMeetings(
            self.world,
            meetings=self.meetings,
            publisher=self.publisher,
            clock=self.clock,
            ids=self.ids,
            behaviour=self.behaviour,
        )
        self.live.on_start.append(self.recorder.when_started)
        self.live.on_end.append(self.recorder.when_ended)
        self.save: Callable[[], None] = lambda: None  # the server knows where to
        self._subscribe_from_settings()

    def resume(self) -> None:
        """Continue what was unfinished when the state was saved, and start the recurring checks."""
        self.deliveries.resume()
        self.recorder.resume()
        for meeting in self.state.meetings.values():
            if meeting.deleted_at is not None:
                self.purge_later(meeting)
        for subscription in self.state.subscriptions.values():
            if subscription.enabled:
                self.validator.schedule(subscription)
                if not subscription.validated and self.behaviour.challenge_on_save:
                    self.timetable.at(self.clock.now(), partial(self.validator.introduce, subscription))

    def subscribe(
        self, url: str, secret: str, events: list[str], *, client_id: str = "", name: str = ""
    ) -> Subscription:
        """Add an event subscription; the caller decides when to challenge its endpoint."""
        subscription = Subscription(
            id=self.ids.opaque(),
            client_id=client_id or self.app.client_id,
            url=url,
            secret=secret,
            events=events or ["*"],
            name=name or "default",
        )
        self.state.subscriptions[subscription.id] = subscription
        self.validator.schedule(subscription)
        return subscription

    def purge_later(self, meeting: Meeting) -> None:
        """Schedule the permanent deletion of a deleted meeting, thirty days after its deletion."""
        moment = (meeting.deleted_at or 0) + TRASH_SECONDS
        self.timetable.at(moment, partial(self._purge, meeting, meeting.deleted_at))

    def _purge(self, meeting: Meeting, deleted_at: float | None) -> None:
        if meeting.deleted_at != deleted_at or meeting.id not in self.state.meetings:
            return
        self.world.remove_meeting(meeting)
        host = self.world.someone(meeting.host_id)
        operation = "all" if meeting.recurrence else "single"
        payload = {"account_id": meeting.account_id, **payloads.operator(host), "operation": operation}
        payload["object"] = payloads.scheduled(meeting)
        self.publisher.publish(f"{meeting.kind}.permanently_deleted", payload, user_id=meeting.host_id)

    def _note_failure(self, problem: Exception) -> None:
        self.mishaps.append(f"{type(problem).__name__}: {problem}")

    def _subscribe_from_settings(self) -> None:
        if not self.settings.webhook_url:
            return
        for subscription in self.state.subscriptions.values():
            if subscription.name == "command line":
                subscription.validated = subscription.validated and subscription.url == self.settings.webhook_url
                subscription.url, subscription.secret = self.settings.webhook_url, self.settings.webhook_secret
                subscription.client_id = self.app.client_id
                return
        self.subscribe(self.settings.webhook_url, self.settings.webhook_secret, ["*"], name="command line")
