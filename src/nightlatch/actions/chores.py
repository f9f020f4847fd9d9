"""What comes due by itself: done by the background task of whichever process comes to it first."""

from nightlatch.actions.campaigns import expand_campaign
from nightlatch.mail.background import Chore
from nightlatch.store import outbox

CHORES = (Chore("expand_campaign", outbox.campaign_waits, expand_campaign),)
