"""User classes without users."""

import pytest

from loadbench.engine.journal.events import UserClass
from loadbench.engine.measure.rules.user_classes import missing_users_text


def classes(**users: tuple[int, int]) -> tuple[UserClass, ...]:
    """Return user classes from their numbers of users and their `fixed_count`."""
    return tuple(
        UserClass(name=name, users=number, fixed=fixed) for name, (number, fixed) in users.items()
    )


@pytest.mark.parametrize(
    ("given", "users", "text"),
    [
        (classes(A=(3, 0), B=(1, 0)), 4, ""),
        (classes(A=(2, 2), B=(2, 0)), 4, ""),
        ((), 4, ""),
        (
            classes(Poller=(3, 5), Normal=(0, 0)),
            3,
            (
                "no users of user class Normal: fixed_count of Poller takes all 3 users "
                "(set users to 6 or more)"
            ),
        ),
        (
            classes(A=(1, 0), B=(1, 0), C=(0, 0), D=(0, 0)),
            2,
            "no users of user classes C, D: only 2 users for 4 classes (set users to 4 or more)",
        ),
        (
            classes(A=(10, 0), B=(0, 0)),
            10,
            (
                "no users of user class B: the weight is too small for 10 users (increase users, "
                "or the weight)"
            ),
        ),
        (
            classes(Poller=(3, 5)),
            3,
            (
                "too few users for their fixed_count: fixed_count of Poller takes all 3 users (set "
                "users to 5 or more)"
            ),
        ),
        (
            classes(A=(1, 0), **{f"C{number}": (0, 0) for number in range(7)}),
            1,
            (
                "no users of user classes C0, C1, C2, C3, C4 and 2 more: only 1 user for 8 classes "
                "(set users to 8 or more)"
            ),
        ),
    ],
)
def test_missing_users_are_explained(given: tuple[UserClass, ...], users: int, text: str) -> None:
    assert missing_users_text(given, users) == text
