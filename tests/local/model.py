"""A broker in the most obvious words: lists, the recursive matcher, and a loop that is a list.

It says what `cascade.connectors.local` has to do, turn by turn, and is written to be read, not to
be fast. A callback is a generator that yields the `Future` it waits for.
"""

from interfaces.slow_topics import slow_matches


class Cancelled(Exception):  # noqa: N818 - named as in asyncio
    """What asyncio calls CancelledError."""


class NotConnected(Exception):  # noqa: N818 - as its fellow
    """Publishing or subscribing while not connected."""


class Future:
    def __init__(self, model):
        self._model = model
        self._done = False
        self.cancelled = False
        self._callbacks = []

    def on_done(self, callback):
        if self._done:
            self._model.ready.append(callback)
        else:
            self._callbacks.append(callback)

    def finish(self, *, cancelled=False):
        if self._done:
            return False
        self._done, self.cancelled = True, cancelled
        self._model.ready.extend(self._callbacks)
        return True


class Work:
    """Something that waits and goes on: a callback in flight, or what the test itself does."""

    def __init__(self, model):
        self.model = model
        self.generator = None
        self.waits_for = None
        self.running = False
        self.cancel_requests = 0
        self._throw_cancelled = False

    def advance(self):
        """Go on from one wait to the next; tell whether there is one."""
        waited_for, self.waits_for = self.waits_for, None
        cancel = self._throw_cancelled or (waited_for is not None and waited_for.cancelled)
        self._throw_cancelled = False
        self.running = True
        try:
            future = self.generator.throw(Cancelled()) if cancel else next(self.generator)
        except StopIteration:
            return False
        finally:
            self.running = False
        self.waits_for = future
        future.on_done(self.wake)
        if self._throw_cancelled and future.finish(cancelled=True):
            self._throw_cancelled = False
        return True

    def wake(self):
        self.advance()

    def cancel(self):
        self.cancel_requests += 1
        if self.waits_for is None or not self.waits_for.finish(cancelled=True):
            self._throw_cancelled = True


class Subscription(Work):
    def __init__(self, model, connector, filters, callback):
        super().__init__(model)
        self.connector = connector
        self.filters = filters
        self.callback = callback
        self.retained = []
        self.live = []
        self.occupied = False
        self.in_flight = False
        self.closed = False
        self.caught_up = Future(model)
        self.ended = Future(model)

    def wants(self, topic):
        return any(slow_matches(each, topic) for each in self.filters)

    def receive(self, message):
        if self.closed:
            return
        if self.occupied:
            self.live.append(message)
        else:
            self.run(message)

    def run(self, message, *, retained=False):
        """Run the callback; tell whether it waits."""
        self.generator = self.guarded(message, retained)
        if self.advance():
            self.in_flight = self.occupied = True
        return self.in_flight

    def guarded(self, message, retained):
        try:
            yield from self.callback(self, *message)
        except NotConnected:
            self.model.report(message[0], retained=retained)
        except Cancelled:
            if not self.cancel_requests:
                self.model.report(message[0], retained=retained)

    def wake(self):
        if self.advance():
            return
        self.in_flight = False
        if self.cancel_requests:
            self.close()
        if self.closed:
            self.ended.finish()
            return
        self.one_retained_done()
        self.drain()

    def drain(self):
        while not self.closed:
            is_retained = bool(self.retained)
            if is_retained:
                message = self.retained[0]
            elif self.live:
                message = self.live.pop(0)
            else:
                self.occupied = False
                return
            if self.run(message, retained=is_retained):
                return
            self.one_retained_done()

    def one_retained_done(self):
        if self.retained:
            self.retained.pop(0)
            if not self.retained:
                self.caught_up.finish()

    def close(self):
        if self.closed:
            return
        self.closed = True
        self.model.subscriptions.remove(self)
        self.retained, self.live = [], []
        self.caught_up.finish()
        if not (self.in_flight or self.running):
            self.ended.finish()

    def cancel(self):
        super().cancel()
        if not self.in_flight:
            self.model.ready.append(self.end_if_cancelled)

    def end_if_cancelled(self):
        if not self.in_flight:
            self.close()
            self.ended.finish()


class Broker:
    """The model: what is subscribed, what is retained, what is under way."""

    def __init__(self, connectors):
        self.connected = [True] * connectors
        self.subscriptions = []
        self.retained = []  # (topic, payload), oldest first
        self.ready = []  # what the event loop does next
        self.reports = []
        self._pending = []
        self._delivering = False

    def report(self, topic, *, retained):
        self.reports.append((topic, retained))

    def begin(self, generator):
        """Have something done from the next turn on, as a task does."""
        work = Work(self)
        work.generator = generator(work)
        self.ready.append(work.advance)

    def run_until_idle(self):
        while self.ready:
            self.ready.pop(0)()

    def deliver(self, subscriptions, act):
        self._pending.append((subscriptions, act))
        if self._delivering:
            return
        self._delivering = True
        while self._pending:
            subscriptions, act = self._pending.pop(0)
            for subscription in subscriptions:
                act(subscription)
        self._delivering = False

    # --- what a callback, or the test itself, may do: generators that yield what they wait for ---

    def publish(self, _caller, connector, topic, payload, *, retain):
        if not self.connected[connector]:
            raise NotConnected
        if retain:
            self.retained = [kept for kept in self.retained if kept[0] != topic]
            if payload == {}:
                pass
            else:
                self.retained.append((topic, payload))
        found = [each for each in self.subscriptions if each.wants(topic)]
        self.deliver(found, lambda subscription: subscription.receive((topic, payload)))
        yield from ()

    def subscribe(self, caller, connector, filters, callback):
        if not self.connected[connector]:
            raise NotConnected
        new = Subscription(self, connector, filters, callback)
        self.subscriptions.append(new)
        new.retained = [kept for kept in self.retained if new.wants(kept[0])]
        if new.retained:
            new.occupied = True
            self.deliver([new], Subscription.drain)
            if new.retained:
                try:
                    yield new.caught_up
                except Cancelled:
                    yield from self.unsubscribe(caller, new)
                    raise
        return new

    def unsubscribe(self, caller, subscription):
        subscription.close()
        if (subscription.in_flight or subscription.running) and caller is not subscription:
            subscription.cancel()
            ended = Future(self)
            subscription.ended.on_done(ended.finish)
            yield ended

    def disconnect(self, caller, connector):
        self.connected[connector] = False
        own = [each for each in self.subscriptions if each.connector == connector]
        for subscription in own:
            subscription.close()
        for subscription in own:
            yield from self.unsubscribe(caller, subscription)
