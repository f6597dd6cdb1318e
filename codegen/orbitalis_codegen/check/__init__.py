"""From trees of values to the parts of the model, held against the rules of AsyncAPI and of Orbitalis."""
