"""How the installation is, for the people who run it: index, queues, workers, storage, backups."""
