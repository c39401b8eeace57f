"""Makes the simulated streams start, change and end: much more often than on Twitch, and the same
for each seed."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from random import Random

from streamwatch.domain.models import Stream
from streamwatch.simulator.cast import CAST, CATEGORIES, TAGS, TITLES, Member
from streamwatch.simulator.world import World

_LIVE_AT_START = 11
_LIVE_USUALLY = 14
_CHANGE_SECONDS = (8.0, 16.0)
_DRIFT_SECONDS = 5.0
_EDIT_SECONDS = 45.0
_FLAP_SECONDS = 4.0
_MINUTES_ON_AT_START = (5.0, 300.0)
_RENAMED_BELOW = 100
"""Only members with fewer viewers change their names, so that the larger ones are easy to find."""

_Action = Callable[[datetime], None]


class RandomActivity:
    """Changes the streams and channels of the cast from `start` on. The cast must be in `world`
    already."""

    def __init__(self, world: World, random: Random, start: datetime) -> None:
        self._world = world
        self._random = random
        self._edits = Random("edits")  # noqa: S311  independent of how often streams change
        self._members = [member for member in CAST if member.usual_viewers]
        self._user_ids = {member: world.user(member.login).user_id for member in self._members}
        self._due: list[tuple[datetime, _Action]] = []
        for member in random.sample(self._members, _LIVE_AT_START):
            self._begin(member, start - timedelta(minutes=random.uniform(*_MINUTES_ON_AT_START)))
        self._plan(start, _CHANGE_SECONDS[0], self._change_one)
        self._plan(start, _DRIFT_SECONDS, self._drift)
        self._plan(start, _EDIT_SECONDS, self._edit)

    def advance(self, now: datetime) -> None:
        """Perform the actions that are due by `now`, in order, each at its own time."""
        while (first := min(self._due, key=lambda entry: entry[0]))[0] <= now:
            self._due.remove(first)
            at, action = first
            with self._world.lock:
                action(at)

    def _plan(self, at: datetime, seconds: float, action: _Action) -> None:
        self._due.append((at + timedelta(seconds=seconds), action))

    def _change_one(self, at: datetime) -> None:
        """Start, end, flap or change the stream of one member."""
        live = [member for member in self._members if self._stream(member)]
        idle = [member for member in self._members if member not in live]
        draw = self._random.random()
        if idle and draw < 0.3 + (_LIVE_USUALLY - len(live)) / 10:
            self._begin(self._random.choice(idle), at)
        elif live:
            member = self._random.choice(live)
            changes = [self._end, self._flap, self._change]
            self._random.choices(changes, weights=[10, 2, 7])[0](member, at)
        if self._random.random() < 0.03:  # noqa: PLR2004  about every six minutes
            self._rename(self._random.choice(self._members))
        self._plan(at, self._random.uniform(*_CHANGE_SECONDS), self._change_one)

    def _edit(self, at: datetime) -> None:
        """One member saves their channel, live or offline, in half of the cases unchanged."""
        member = self._edits.choice(self._members)
        title = self._edits.choice([None, self._edits.choice(TITLES[member.language])])
        self._world.update_channel(self._login(member), title=title, at=at)
        self._plan(at, _EDIT_SECONDS, self._edit)

    def _drift(self, at: datetime) -> None:
        """Let every number of viewers walk at random, drawn towards the member's usual one."""
        for member in self._members:
            if stream := self._stream(member):
                viewers = max(1, stream.viewer_count or 0)
                pull = 0.05 * math.log(member.usual_viewers / viewers)
                step = math.exp(pull + self._random.gauss(0, 0.04))
                self._world.set_viewers(self._login(member), max(1, round(viewers * step)))
        self._plan(at, _DRIFT_SECONDS, self._drift)

    def _begin(self, member: Member, at: datetime) -> None:
        language = member.language
        self._world.go_online(
            self._login(member),
            at=at,
            viewers=max(1, round(member.usual_viewers * self._random.uniform(0.4, 0.9))),
            category=self._random.choice(list(CATEGORIES)),
            title=self._random.choice(TITLES[language]),
            language=language,
            tags=TAGS[language],
        )

    def _end(self, member: Member, at: datetime) -> None:
        self._world.go_offline(self._login(member), at=at)

    def _flap(self, member: Member, at: datetime) -> None:
        self._end(member, at)
        self._plan(at, _FLAP_SECONDS, partial(self._resume, member))

    def _resume(self, member: Member, at: datetime) -> None:
        if self._stream(member) is None:
            self._world.resume(self._login(member), at=at)

    def _change(self, member: Member, at: datetime) -> None:
        """Save another title and, mostly, another category; live or offline."""
        self._world.update_channel(
            self._login(member),
            title=self._random.choice(TITLES[member.language]),
            category=self._random.choice(list(CATEGORIES)),
            language=member.language,
            at=at,
        )

    def _rename(self, member: Member) -> None:
        """Add `_TV` to the member's name, or take it away again."""
        if member.usual_viewers < _RENAMED_BELOW:
            name = self._world.user(self._login(member)).display_name
            renamed = name.removesuffix("_TV") if name.endswith("_TV") else f"{name}_TV"
            self._world.rename(self._login(member), renamed)

    def _login(self, member: Member) -> str:
        return self._world.user_by_id(self._user_ids[member]).login

    def _stream(self, member: Member) -> Stream | None:
        return self._world.stream(self._login(member))
