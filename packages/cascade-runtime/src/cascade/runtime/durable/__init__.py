"""Durable agents: what makes an agent's steps survive its process.

* `opening`: from a path or URL to the store
* `agents`: starts, decides about and lists them; what ``engine.agents`` is
* `starting`: the record of a call that can be one
* `ownership`: those of one engine, taken up, kept, put to sleep, given back
* `renewal`: a thread that renews leases; `hibernation`: who can leave memory while it waits
* `driving`: one of them driven, from its last commit to its end
* `agent`: an agent whose steps are committed to a store; `journal`: what its step has so far
* `run`: the run of one of them
* `mailbox`: its mailbox, whose signals are rows of the store
* `outgoing`: how it speaks, reads the clock and sleeps, so that a step that runs again does not do so twice
* `telling`: an event for each change of one, and what goes wrong in the background
* `waiting`: what one waits for, as its record says
* `said`: what they say over the connector, so that others of their store do not hear it twice
* `values`: results, signals and journaled values as JSON
"""
