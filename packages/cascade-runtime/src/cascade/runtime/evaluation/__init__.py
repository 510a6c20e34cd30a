"""From a call to its value.

* `evaluator`: a trampoline over tail calls and calls that need one other
* `scheduler`: a graph whose branches run side by side, as planned by `plan`
* `invocation`: one call of a task's function, with its policies
* `caching`: values remembered by content, computed by one call at a time
* `arguments`: the calls among a call's arguments, found and replaced (`containers`: where)
"""
