"""What comes due by itself: done by the background task of whichever process comes to it first."""

from nightlatch.actions import alerts, connection_rule, progress
from nightlatch.actions.campaigns import expand_campaign
from nightlatch.actions.reset_doing import finish_due
from nightlatch.mail.background import Chore
from nightlatch.store import campaigns, resets

CHORES = (
    Chore("tell_half_done", alerts.half_done_waits, alerts.tell_half_done),
    Chore("expand_campaign", campaigns.waits, expand_campaign),
    Chore("finish_due_reset", resets.is_due, finish_due),
    Chore("end_exemption", connection_rule.exemption_waits, connection_rule.end_exemption),
    Chore("note_progress", progress.day_waits, progress.note_day),
)
