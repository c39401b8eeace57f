"""The errors of notifications."""


class NotificationError(Exception):
    """A request about a notification cannot be carried out; the text says why."""


class UnknownNotification(NotificationError):
    def __init__(self, notification_id: str) -> None:
        super().__init__(f"There is no notification {notification_id!r}.")


class UnknownDelivery(NotificationError):
    def __init__(self, delivery_id: str) -> None:
        super().__init__(f"There is no delivery {delivery_id!r}.")


class TooManyNotifications(NotificationError):
    def __init__(self, limit: int) -> None:
        super().__init__(f"There are {limit} notifications already: remove one first.")


class AlreadyAdded(NotificationError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was added with this form already.")


class NotificationOff(NotificationError):
    def __init__(self, name: str) -> None:
        super().__init__(f"The notification {name!r} is switched off: switch it on first.")


class DeliveryPending(NotificationError):
    def __init__(self) -> None:
        super().__init__("This delivery is pending: it will be attempted without a retry.")


class NoSecret(NotificationError):
    def __init__(self) -> None:
        super().__init__("Only notifications of the kind webhook have a secret.")


class ChangedMeanwhile(NotificationError):
    def __init__(self) -> None:
        super().__init__("Another request changed it at the same time: try again.")
