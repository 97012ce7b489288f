"""What a batch is made of: finding submissions, the job that grades one, and the worker processes that do the jobs."""
