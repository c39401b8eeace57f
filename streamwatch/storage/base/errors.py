"""The errors that storages raise."""


class StorageError(Exception):
    """The storage could not carry out an operation."""


class StorageUnavailable(StorageError):
    """The storage did not answer, or not in time. The operation may have been carried out."""


class UnreadableRecord(StorageError):
    """A stored value has a form that StreamWatch cannot read."""


class UnsupportedStorage(StorageUnavailable):
    """The server is too old or lacks a required feature. The message says which."""
