"""Long work that people start from a page: asked for once, run by a worker, taken over when that dies."""
