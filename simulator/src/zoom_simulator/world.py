"""Look-ups over the state, with indices for the frequent ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zoom_simulator.model import Instance, Kind, Meeting, State, User


class World:
    """The state with its indices. Add and remove meetings, users and instances through it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._by_email = {user.email.lower(): user.id for user in state.users.values()}
        self._by_pmi = {user.pmi: user.id for user in state.users.values()}
        self._by_host: dict[tuple[str, str], dict[int, None]] = defaultdict(dict)
        self._held: dict[int, list[str]] = defaultdict(list)
        self._held_by: dict[str, list[str]] = defaultdict(list)
        self.live: dict[str, None] = {}
        for meeting in state.meetings.values():
            self._by_host[meeting.host_id, meeting.kind][meeting.id] = None
        for instance in state.instances.values():
            self._index_instance(instance)

    # users

    def add_user(self, user: User) -> None:
        """Add a user."""
        self.state.users[user.id] = user
        self._by_email[user.email.lower()] = user.id
        self._by_pmi[user.pmi] = user.id

    def remove_user(self, user: User) -> None:
        """Remove a user."""
        self.state.users.pop(user.id, None)
        self._by_email.pop(user.email.lower(), None)
        self._by_pmi.pop(user.pmi, None)

    def change_pmi(self, user: User, pmi: int) -> None:
        """Give a user another personal meeting id."""
        self._by_pmi.pop(user.pmi, None)
        room = self.state.meetings.get(user.pmi)
        if room is not None and room.id == room.pmi:
            self.remove_meeting(room)
        user.pmi = pmi
        self._by_pmi[pmi] = user.id

    def user(self, reference: str) -> User | None:
        """The user with this id or e-mail address."""
        found = self.state.users.get(reference)
        if found is None:
            found = self.state.users.get(self._by_email.get(reference.lower(), ""))
        return found

    def someone(self, user_id: str) -> User:
        """Return the user of this id, or a placeholder for a deleted user, which history still refers to."""
        found = self.state.users.get(user_id)
        return found or User(user_id, "", "", "Deleted", "User", 0, 0.0, status="inactive")

    def owner_of_pmi(self, pmi: int) -> User | None:
        """Return the user with this personal meeting id."""
        return self.state.users.get(self._by_pmi.get(pmi, ""))

    def users_of(self, account_id: str) -> Iterator[User]:
        """The users of an account, oldest first."""
        return (user for user in self.state.users.values() if user.account_id == account_id)

    # meetings

    def add_meeting(self, meeting: Meeting) -> None:
        """Add a meeting or webinar."""
        self.state.meetings[meeting.id] = meeting
        self._by_host[meeting.host_id, meeting.kind][meeting.id] = None

    def remove_meeting(self, meeting: Meeting) -> None:
        """Remove a meeting permanently."""
        self.state.meetings.pop(meeting.id, None)
        self._by_host[meeting.host_id, meeting.kind].pop(meeting.id, None)

    def change_host(self, meeting: Meeting, host_id: str) -> None:
        """Give a meeting another host."""
        self._by_host[meeting.host_id, meeting.kind].pop(meeting.id, None)
        meeting.host_id = host_id
        self._by_host[host_id, meeting.kind][meeting.id] = None

    def meetings_of(self, host_id: str, kind: Kind) -> Iterator[Meeting]:
        """A host's meetings or webinars that were not deleted, oldest first."""
        numbers = self._by_host.get((host_id, kind), {})
        found = (self.state.meetings[number] for number in numbers)
        return (meeting for meeting in found if meeting.deleted_at is None)

    # instances

    def add_instance(self, instance: Instance) -> None:
        """Add an instance that has begun."""
        self.state.instances[instance.uuid] = instance
        self._index_instance(instance)

    def held(self, meeting_id: int) -> list[Instance]:
        """Return the instances of a meeting, oldest first. A personal meeting id works too."""
        return [self.state.instances[uuid] for uuid in self._held.get(meeting_id, [])]

    def held_by(self, host_id: str) -> list[Instance]:
        """Return the instances of a host, oldest first."""
        return [self.state.instances[uuid] for uuid in self._held_by.get(host_id, [])]

    def instance(self, reference: str) -> Instance | None:
        """Return an instance by its UUID, or the latest one of a meeting by its number."""
        if reference.isdecimal():
            occasions = self.held(int(reference))
            return occasions[-1] if occasions else None
        return self.state.instances.get(reference)

    def _index_instance(self, instance: Instance) -> None:
        self._held[instance.meeting_id].append(instance.uuid)
        if instance.shown_id != instance.meeting_id:
            self._held[instance.shown_id].append(instance.uuid)
        self._held_by[instance.host_id].append(instance.uuid)
        if instance.ended_at is None:
            self.live[instance.uuid] = None
