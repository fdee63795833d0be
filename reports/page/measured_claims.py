"""How a claim is decided by measurements: one function for each name that a claim's evidence may give."""

from __future__ import annotations

from collections.abc import Mapping

from rnn_harness.records.measurement import MeasurementKind
from rnn_harness.reports.page.claim_verdict import MeasuredClaim
from rnn_harness.reports.page.claims_of_counts import (
    faster_than_lstm,
    fewer_parameters,
    four_blocks,
    output_gate_parameters,
    twice_the_parameters,
)
from rnn_harness.reports.page.claims_of_decay import (
    bob_is_out_of_reach,
    eight_to_ten_steps,
    first_words_lost,
    gates_keep,
    geometric_decay,
    gradient_explodes,
    gru_keeps,
    gru_keeps_or_removes,
    loss_shows_explosion,
    rnn_vanishes,
    too_small_beyond_ten,
)
from rnn_harness.reports.page.claims_of_learning import (
    long_dependencies,
    loss_stands_still,
    nothing_is_learnt,
    only_these_learn,
)

_BY_KIND: Mapping[MeasurementKind, Mapping[str, MeasuredClaim]] = {
    "parameters": {
        "fewer parameters": fewer_parameters,
        "four blocks of parameters": four_blocks,
        "parameters of the output gate": output_gate_parameters,
        "twice the parameters": twice_the_parameters,
    },
    "speed": {
        "rnn faster": faster_than_lstm("rnn"),
        "gru faster": faster_than_lstm("gru"),
    },
    "decay": {
        "gates keep": gates_keep,
        "rnn vanishes": rnn_vanishes,
        "explodes": gradient_explodes,
        "loss where it explodes": loss_shows_explosion,
        "eight or ten": eight_to_ten_steps,
        "too small beyond ten": too_small_beyond_ten,
        "Bob and He": bob_is_out_of_reach,
        "first words lost": first_words_lost,
        "geometric": geometric_decay,
        "gru keeps": gru_keeps,
        "gru keeps or removes": gru_keeps_or_removes,
    },
    "learning": {
        "long dependencies": long_dependencies,
        "nothing is learnt": nothing_is_learnt,
        "loss stands still": loss_stands_still,
        "sees ahead": only_these_learn("ahead", "both directions"),
        "stateful learns": only_these_learn("carry", "stateful", "stateless"),
    },
}
MEASURED_CLAIMS: Mapping[str, MeasuredClaim] = {name: row for rows in _BY_KIND.values() for name, row in rows.items()}
"""How claims are measured, by the name that their evidence gives."""
KIND_OF_CLAIM: Mapping[str, MeasurementKind] = {name: kind for kind, rows in _BY_KIND.items() for name in rows}
"""Which measurements each of them asks: those of one kind alone."""
