"""To come."""

from tests.attacks.kinds import Attack

ATTACKS: tuple[Attack, ...] = ()
