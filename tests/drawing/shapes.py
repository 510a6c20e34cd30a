"""What the tests of pictures draw."""

import cascade as cs


@cs.resource
def settings():
    yield {}


@cs.resource(scope="task")
def database(settings=cs.inject(settings)):
    yield "open"


@cs.task
async def fetch(url, client=cs.inject("client")):
    return url


@cs.task
async def kind(page):
    return "html"


@cs.task
def parse(page, database=cs.inject(database)):
    return page


@cs.task
def report(*parts):
    return parts


@cs.task
async def is_new(page):
    return True
