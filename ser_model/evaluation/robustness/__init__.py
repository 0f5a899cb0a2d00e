"""The robustness suite: a checkpoint on changed recordings of its test speakers, after audeering/ser-tests."""
