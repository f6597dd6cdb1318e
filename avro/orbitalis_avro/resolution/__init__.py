"""Avro's schema resolution: whether one schema reads what another one has written, and what a reader has to do for it.

What is in here is imported where it is used:

comparison   pairs the types of two schemas, by Avro's rules and some stricter ones
matches      what is found: the plan of a reader for a pair of schemas
refusal      why two schemas do not go together
bounds       what a writer's schema may cost
defaults     what stands for fields that are not written
skipping     passes over what is written and not read
"""
