"""Training: one loop, several tasks.

`loop.fit` knows steps, validation, checkpoints and resume, and no loss or network; a `Task` knows
its networks and data, and nothing of files. `run.train` reads a RUN.toml and writes a bundle.
"""
