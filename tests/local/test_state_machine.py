"""Anything that connectors and callbacks may do, in any order, next to the model of `local.model`.

Callbacks follow scripts: they publish, subscribe, unsubscribe, disconnect, and wait at gates that
a later rule opens. After every rule both sides have to tell the same story.
"""

import asyncio
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cascade.common.messaging import bus
from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.interfaces.errors import NotConnectedError
from local import model

CONNECTORS = 3
MOST_SUBSCRIPTIONS = 12  # ever made in one run, so that scripts which subscribe come to an end
MOST_MESSAGES = 250  # of one run, so that no queue is longer than what is drained in one turn

connectors = st.integers(0, CONNECTORS - 1)
topics = st.sampled_from(["a", "b", "a/a", "a/b", "$s"])
one_filter = st.sampled_from(["a", "b", "a/b", "$s", "+", "#", "a/#", "a/+", "+/b"])
filters = one_filter.map(lambda one: (one,)) | st.lists(one_filter, min_size=1, max_size=3).map(
    tuple
)
kinds = st.sampled_from(["publish", "publish", "retain", "clear"])


@dataclass(frozen=True)
class Publish:
    connector: int
    topic: str
    kind: str


@dataclass(frozen=True)
class Subscribe:
    connector: int
    filters: tuple
    script: tuple


@dataclass(frozen=True)
class Unsubscribe:
    which: int
    """Place among the handles so far, modulo their number."""


@dataclass(frozen=True)
class Disconnect:
    connector: int


@dataclass(frozen=True)
class Wait:
    """At a gate of its own."""


publishing = st.builds(Publish, connectors, topics, kinds)
simple = publishing | st.builds(Wait)
simple_scripts = st.lists(simple, max_size=2).map(tuple)
action = st.one_of(
    publishing,
    publishing,
    st.builds(Wait),
    st.builds(Subscribe, connectors, filters, simple_scripts),
    st.builds(Unsubscribe, st.integers(0, 5)),
    st.builds(Disconnect, connectors),
)
scripts = st.lists(action, max_size=3).map(tuple)


@dataclass
class Story:
    """What happened on one side, and what its scripts may refer to."""

    log: list = field(default_factory=list)
    handles: list = field(default_factory=list)
    gates: list = field(default_factory=list)
    subscribed: int = 0
    published: int = 0

    def next_name(self):
        """Number a subscription in the order that subscribing began; None where it is enough."""
        if self.subscribed == MOST_SUBSCRIPTIONS:
            return None
        self.subscribed += 1
        return self.subscribed

    def payload(self, kind, fuel):
        """Make a payload that tells which message this is; None where there were enough."""
        if self.published == MOST_MESSAGES:
            return None
        self.published += 1
        return {} if kind == "clear" else {"number": self.published, "fuel": fuel}


class Real:
    """The connectors under test."""

    def __init__(self):
        self.story = Story()
        self.broker = LocalBroker()
        self.runner = asyncio.Runner()
        self.connectors = [LocalBusConnector(self.broker) for _ in range(CONNECTORS)]
        self.tasks = []
        for connector in self.connectors:
            self.do(connector.connect())

    def do(self, coroutine):
        """Begin something as a task, and run the loop until nothing is ready any more."""
        self.tasks.append(self.runner.get_loop().create_task(self.reported(coroutine)))
        self.runner.run(self.until_idle())

    async def reported(self, coroutine):
        try:
            await coroutine
        except NotConnectedError:
            self.story.log.append("not connected")

    @staticmethod
    async def until_idle():
        ready = asyncio.get_running_loop()._ready
        while ready:
            await asyncio.sleep(0)

    def release(self, which):
        self.story.gates.pop(which).set_result(None)
        self.runner.run(self.until_idle())

    async def perform(self, each, fuel):
        story = self.story
        match each:
            case Publish(connector, topic, kind):
                payload = story.payload(kind, fuel)
                retain = kind != "publish"
                if payload is not None:
                    await self.connectors[connector].publish(topic, payload, retain=retain)
            case Subscribe(connector, filters, script):
                name = story.next_name()
                if name is not None:
                    callback = self.callback(name, script)
                    handle = await self.connectors[connector].subscribe(filters, callback)
                    story.handles.append(handle)
            case Unsubscribe(which):
                if story.handles:
                    await story.handles[which % len(story.handles)].unsubscribe()
            case Disconnect(connector):
                await self.connectors[connector].disconnect()
            case Wait():
                gate = asyncio.get_running_loop().create_future()
                story.gates.append(gate)
                try:
                    await gate
                finally:
                    if gate in story.gates:
                        story.gates.remove(gate)

    def callback(self, name, script):
        log = self.story.log

        async def callback(topic, payload):
            log.append((name, "begins", topic, payload.get("number")))
            fuel = payload.get("fuel", 0)
            try:
                for each in script if fuel else ():
                    await self.perform(each, fuel - 1)
                    log.append((name, "did", each))
            except asyncio.CancelledError:
                log.append((name, "cancelled"))
                raise
            log.append((name, "ends"))

        return callback


class Model:
    """The same in the words of the model."""

    def __init__(self):
        self.story = Story()
        self.broker = model.Broker(CONNECTORS)

    def do(self, each, fuel):
        self.broker.begin(lambda work: self.reported(self.perform(work, each, fuel)))
        self.broker.run_until_idle()

    def reported(self, generator):
        try:
            yield from generator
        except model.NotConnected:
            self.story.log.append("not connected")

    def connect(self, connector):
        self.broker.connected[connector] = True

    def release(self, which):
        self.story.gates.pop(which).finish()
        self.broker.run_until_idle()

    def perform(self, caller, each, fuel):
        story, broker = self.story, self.broker
        match each:
            case Publish(connector, topic, kind):
                payload = story.payload(kind, fuel)
                retain = kind != "publish"
                if payload is not None:
                    yield from broker.publish(caller, connector, topic, payload, retain=retain)
            case Subscribe(connector, filters, script):
                name = story.next_name()
                if name is not None:
                    callback = self.callback(name, script)
                    handle = yield from broker.subscribe(caller, connector, filters, callback)
                    story.handles.append(handle)
            case Unsubscribe(which):
                if story.handles:
                    handle = story.handles[which % len(story.handles)]
                    yield from broker.unsubscribe(caller, handle)
            case Disconnect(connector):
                yield from broker.disconnect(caller, connector)
            case Wait():
                gate = model.Future(broker)
                story.gates.append(gate)
                try:
                    yield gate
                finally:
                    if gate in story.gates:
                        story.gates.remove(gate)

    def callback(self, name, script):
        log = self.story.log

        def callback(subscription, topic, payload):
            log.append((name, "begins", topic, payload.get("number")))
            fuel = payload.get("fuel", 0)
            try:
                for each in script if fuel else ():
                    yield from self.perform(subscription, each, fuel - 1)
                    log.append((name, "did", each))
            except model.Cancelled:
                log.append((name, "cancelled"))
                raise
            log.append((name, "ends"))

        return callback


class Machine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.reports = []
        self.diversion = bus.divert(self.keep_report)
        self.diversion.__enter__()
        self.real = Real()
        self.model = Model()

    def keep_report(self, message):
        retained = message.id == "localbus.retained_callback_error"
        assert retained or message.id == "localbus.callback_error"
        assert isinstance(message.facts["error"], (NotConnectedError, asyncio.CancelledError))
        self.reports.append((message.facts["topic"], retained))

    def both(self, each, fuel=0):
        self.real.do(self.real.perform(each, fuel))
        self.model.do(each, fuel)

    @rule(connector=connectors, topic=topics, kind=kinds, fuel=st.integers(0, 2))
    def publish(self, connector, topic, kind, fuel):
        self.both(Publish(connector, topic, kind), fuel)

    @rule(connector=connectors, filters=filters, script=scripts)
    def subscribe(self, connector, filters, script):
        self.both(Subscribe(connector, filters, script))

    @rule(which=st.integers(0, 20))
    def unsubscribe(self, which):
        self.both(Unsubscribe(which))

    @rule(connector=connectors)
    def disconnect(self, connector):
        self.both(Disconnect(connector))

    @rule(connector=connectors)
    def connect(self, connector):
        self.real.do(self.real.connectors[connector].connect())
        self.model.connect(connector)

    @precondition(lambda self: self.model.story.gates)
    @rule(which=st.integers(0, 20))
    def release(self, which):
        place = which % len(self.model.story.gates)
        self.real.release(place)
        self.model.release(place)

    @invariant()
    def both_tell_the_same_story(self):
        assert self.real.story.log == self.model.story.log
        assert self.reports == self.model.broker.reports
        assert len(self.real.story.gates) == len(self.model.story.gates)
        assert len(self.real.story.handles) == len(self.model.story.handles)

    @invariant()
    def both_count_the_same(self):
        broker = self.model.broker
        assert self.real.broker.subscription_count == len(broker.subscriptions)
        assert self.real.broker.retained_count == len(broker.retained)
        assert [each.connected for each in self.real.connectors] == broker.connected

    def teardown(self):
        try:
            for connector in range(CONNECTORS):
                self.both(Disconnect(connector))
            self.both_tell_the_same_story()
            assert self.real.broker.subscription_count == 0
            assert self.real.broker._filters.exact == {}
            assert self.real.broker._filters._wildcards.values() == []
            while self.model.story.gates:
                self.release(0)
            self.both_tell_the_same_story()
            assert [task for task in self.real.tasks if not task.done()] == []
            assert asyncio.all_tasks(self.real.runner.get_loop()) == set()
        finally:
            self.diversion.__exit__(None, None, None)
            self.real.runner.close()


TestConnectorsAndCallbacks = Machine.TestCase
TestConnectorsAndCallbacks.settings = settings(max_examples=200, stateful_step_count=25)
