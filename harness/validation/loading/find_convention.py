"""Find out how a target wants to be called, by calling it in every way that is known."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.calling_convention import (
    CallingConvention,
    target_result,
)
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.cells.state_form import result_leaves
from rnn_harness.validation.loading.call_attempts import arranged_attempts, unusual_attempts, usual_attempts
from rnn_harness.validation.loading.copied_module import copied_module
from rnn_harness.validation.loading.dependence import (
    carries_over,
    ignored_states,
    reaches_itself,
    rows_are_independent,
    states_are_of_rows,
    time_axis_is_right,
)
from rnn_harness.validation.loading.forward_signature import STATE_NAME, ArgumentPlan, argument_plans, forward_arguments
from rnn_harness.validation.loading.layered_states import count_layers
from rnn_harness.validation.loading.layout_faults import (
    WrongLayout,
    documents_both_orders,
    in_declared_order,
    layout_fault,
    mixed_features_fault,
)
from rnn_harness.validation.loading.packed_states import states_of_packed_rows_are_checked
from rnn_harness.validation.loading.parameter_exchange import CalledWithParameters, own_call
from rnn_harness.validation.loading.result_reading import (
    TrialSizes,
    completed_last_step,
    completed_sequence,
    completed_step,
)
from rnn_harness.validation.loading.state_recorder import recorded_forms
from rnn_harness.validation.loading.undriven import FailedCall, RaisedError, undriven_message

if TYPE_CHECKING:
    from torch import Tensor, nn


def find_convention(
    module: nn.Module,
    n: int,
    d: int,
    declared: CallingConvention | None = None,
    is_quick: bool = False,
    is_new: bool = False,
    takes_mixed_rows: bool = True,
) -> CallingConvention:
    """Find how a module is called.

    Args:
        module: The target as a torch module, of known sizes.
        n: Its input size.
        d: Its hidden size.
        declared: The convention that it is known to have, which is then the only one tried.
        is_quick: Whether usual ways alone are tried.
        is_new: Whether every way is tried on a module that was not called before, since its first call makes its
            weights.
        takes_mixed_rows: Whether a way in which the rows of a batch are mixed is taken where there is no other.

    Raises:
        WrongLayout: It can be called, but its outputs are laid out otherwise than its inputs; the message says how.
        UsageError: It cannot be called in any known way; the message tells of the one that went furthest.
    """
    is_torch = not isinstance(module, CalledWithParameters)
    arguments = forward_arguments(module) if is_torch else None
    sizes = TrialSizes(n, d, distinct_step_count(n, d), distinct_batch_size(n, d))
    trial = _Trial(module, sizes, is_new, any(STATE_NAME.match(argument.name) for argument in arguments or ()))
    plans = argument_plans(arguments)
    if declared is not None:
        convention = trial.first_fit((declared,))
    else:
        convention = trial.first_fit(usual_attempts(plans))
        if convention is None and not is_quick:
            convention = trial.first_fit(_further_attempts(trial, plans, is_torch))
    convention = convention or trial.deferred
    if convention is None and not is_quick:
        convention = trial.in_declared_order()
        if convention is None:
            trial.raise_layout_fault()
            convention = trial.first_fit(trial.last_step_attempts()) or trial.deferred
    if convention is None and takes_mixed_rows:
        convention = trial.mixing_states or trial.mixing_rows
        if convention is not None and (layers := count_layers(trial.call, trial.x, d)):
            raise UsageError(several_layers_message(module, layers))
    if convention is None:
        raise UsageError(undriven_message(module, trial.sizes, trial.failures, several_layers_hint(module)))
    convention = _with_output_beside_joined_states(module, convention)
    if fault := mixed_features_fault(trial.call, convention, trial.x, trial.states(convention.states)):
        raise WrongLayout(f"{fault} where a transpose is meant")
    if convention.states == 0 and (hint := several_layers_hint(module)):
        raise UsageError(f"cannot drive {type(module).__name__}:{hint}")
    return convention


def _with_output_beside_joined_states(module: nn.Module, convention: CallingConvention) -> CallingConvention:
    """The convention, with the place of an output that is as wide as one of the states that are joined to one."""
    from rnn_harness.validation.loading.joined_states import CellOfOneState

    has_output = (
        isinstance(module, CellOfOneState) and module.joined.output_place is not None and not convention.sequence
    )
    return replace(convention, output_place=0) if has_output else convention


def _further_attempts(trial: _Trial, plans: list[ArgumentPlan], is_torch: bool) -> Iterator[CallingConvention]:
    """Every way that is not a usual one; those with structures are for torch modules alone."""
    if is_torch:
        yield from unusual_attempts(plans, recorded_forms(trial.call, plans, trial.x, trial.states(1)))
    yield from arranged_attempts(plans, is_torch)


@dataclass
class _Trial:
    """The calls that are tried on one module.

    Attributes:
        module: The target as a torch module.
        sizes: The sizes of the calls.
        is_new: Whether every way is tried on a module that was not called before.
        may_take_a_state: Whether an argument has the name of a state.
        failures: What went wrong in the calls that do not fit.
        mixing_rows: The first way of calling it for single steps that mixes the rows of a batch.
        mixing_states: The first way of calling it for a sequence in which a row of a state reaches other rows.
        deferred: The first way in which a state that is given has no influence.
        unfitting: Ways of calling it for a sequence that gave tensors which do not fit.
    """

    module: nn.Module
    sizes: TrialSizes
    is_new: bool = False
    may_take_a_state: bool = False
    failures: list[FailedCall] = field(default_factory=list)
    mixing_rows: CallingConvention | None = None
    mixing_states: CallingConvention | None = None
    deferred: CallingConvention | None = None
    unfitting: list[CallingConvention] = field(default_factory=list)

    def __post_init__(self) -> None:
        import torch

        self.call = own_call(self.module)
        # What keeps its state of a call with other rows hands it to nn.LSTM. For packed sequences torch (2.13) does not
        # look at its size, and writes where it must not: such calls are tried on a module that has not been called.
        self._untouched = copied_module(self.module)
        self._generator = torch.Generator().manual_seed(5)
        parameters = (value for value in self.module.parameters() if value.is_floating_point())
        first = next(parameters, None)
        own_dtype = torch.get_default_dtype() if self.is_new else torch.float64
        self._dtype = own_dtype if first is None else first.dtype
        self._device = torch.device("cpu") if first is None else first.device
        self.x = self._normal(self.sizes.steps, self.sizes.rows, self.sizes.n)

    def _normal(self, *shape: int) -> Tensor:
        """Draw numbers in the dtype and on the device of the module."""
        import torch

        drawn = torch.randn(*shape, generator=self._generator, dtype=torch.float64)
        return drawn.to(self._dtype).to(self._device)

    def states(self, count: int) -> list[Tensor]:
        """Draw states (B, d)."""
        return [self._normal(self.sizes.rows, self.sizes.d) / 2 for _ in range(count)]

    def first_fit(self, attempts: Iterable[CallingConvention]) -> CallingConvention | None:
        """Return the first way of calling it that fits; those that fit almost are kept."""
        with states_of_packed_rows_are_checked():
            return self._first_fit(attempts)

    def _first_fit(self, attempts: Iterable[CallingConvention]) -> CallingConvention | None:
        """The first way of calling it that fits; what is tried may be anything."""
        for attempt in attempts:
            if self._hands_over_less(attempt):
                continue
            states = self.states(attempt.states)
            try:
                if self.is_new or attempt.input_form == "packed":
                    self.call = own_call(copy.deepcopy(self._untouched))
                convention = self._completed(attempt, states)
            except (Exception, SystemExit) as error:  # a module that is called in a wrong way may raise anything
                self.failures.append(FailedCall(attempt, error=RaisedError.of(error)))
                continue
            if convention is not None and self._is_sound(convention, states):
                return convention
        return None

    def _hands_over_less(self, attempt: CallingConvention) -> bool:
        """Say whether an attempt leaves out a state that another handed over in vain."""
        if self.deferred is None:
            return False
        return len(attempt.handed_over) < len(self.deferred.handed_over)

    def _is_sound(self, convention: CallingConvention, states: list[Tensor]) -> bool:
        """Say whether rows are apart and every state is used; keep the convention for later if not."""
        if not convention.sequence and not self._keeps_rows_apart(convention, states):
            # A loop over the first axis runs on one step's rows too, and takes them for steps.
            self.mixing_rows = self.mixing_rows or convention
            return False
        # A step that mixes the rows of a batch also runs on one row at a time, on rows that are taken for two states,
        # and on a sequence, in which it then carries nothing over: it takes a batch, so it is judged on one. What keeps
        # rows apart as soon as its states are in a tuple or the like mixed them because it indexed a tensor as one.
        if self.mixing_rows is not None and not convention.sequence and not _holds_states_apart(convention):
            return False
        if self._may_be_a_step_on_rows(convention) and not self._carries_over(convention, states):
            return False
        if convention.sequence and not states_are_of_rows(self.call, convention, self.x, states):
            # What is taken for the rows of a state may be its layers, or the states of an LSTM.
            self.mixing_states = self.mixing_states or convention
            return False
        if self.mixing_states is not None and not self._says_why_states_mix(convention):
            return False
        if self._ignores_a_state(convention, states):
            self.deferred = self.deferred or convention
            return False
        return True

    def _may_be_a_step_on_rows(self, convention: CallingConvention) -> bool:
        """Say whether what is taken for a sequence may be the rows of a step, mixed or with states of zero."""
        is_row_without_state = convention.sequence and not (convention.takes_rows or convention.states)
        return self.mixing_rows is not None or (self.may_take_a_state and is_row_without_state)

    def _says_why_states_mix(self, convention: CallingConvention) -> bool:
        """Say whether it mixed the rows of a state because that was none: two states, or layers that it makes itself.

        What mixes rows also runs on one row at a time, or on states with an axis more.
        """
        if convention.states:
            return _holds_states_apart(convention)
        return count_layers(self.call, self.x, self.sizes.d) is not None

    def _completed(self, attempt: CallingConvention, states: list[Tensor]) -> CallingConvention | None:
        """The convention, completed by what came back; None if what came back does not fit it."""
        import torch

        one_row = not attempt.takes_rows
        x, given = self.x if attempt.sequence else self.x[0], states
        if one_row:
            x, given = x[..., :1, :], [state[:1] for state in states]
        with torch.no_grad():
            result = target_result(attempt, self.call, x, given)
        self._check_dtype(result)
        if not attempt.sequence:
            convention = completed_step(attempt, result, self.sizes)
        elif attempt.prefixes:
            convention = completed_last_step(replace(attempt, prefixes=False), result, self.sizes)
        else:
            convention = completed_sequence(attempt, result, self.sizes)
        if convention is not None and (not convention.sequence or self._has_its_time_axis(convention, states)):
            self._check_precision(convention, result)
            return convention
        shapes = tuple(tuple(leaf.tensor.shape) for leaf in result_leaves(result))
        self.failures.append(FailedCall(attempt, shapes=shapes, has_wrong_reach=convention is not None))
        if attempt.sequence and not attempt.prefixes:
            self.unfitting.append(attempt)
        return None

    def _has_its_time_axis(self, convention: CallingConvention, states: list[Tensor]) -> bool:
        """Say whether the axis that is taken for time is: with the module's own weights, else with drawn ones."""
        is_right = time_axis_is_right(self.call, convention, self.x, states)
        if is_right is None:
            is_right = self._with_drawn_weights(time_axis_is_right, convention, states)
        if is_right is None:  # then it carries nothing over at all
            is_right = reaches_itself(self.call, convention, self.x, states)
        return is_right

    def _keeps_rows_apart(self, convention: CallingConvention, states: list[Tensor]) -> bool:
        """Say whether no row of a step reaches another: nor with drawn weights, where a state has no influence."""
        if not rows_are_independent(self.call, convention, self.x, states):
            return False
        if not convention.states or not ignored_states(self.call, convention, self.x, states):
            return True
        return self._with_drawn_weights(rows_are_independent, convention, states) is not False

    def _carries_over(self, convention: CallingConvention, states: list[Tensor]) -> bool:
        """Say whether a change reaches the next step: with the module's own weights, or with drawn ones."""
        if carries_over(self.call, convention, self.x, states):
            return True
        return self._with_drawn_weights(carries_over, convention, states) is True

    def _ignores_a_state(self, convention: CallingConvention, states: list[Tensor]) -> bool:
        """Say whether a state has no influence: neither with the module's own weights nor with drawn ones."""
        if not convention.states or not ignored_states(self.call, convention, self.x, states):
            return False
        return self._with_drawn_weights(ignored_states, convention, states) is not False

    def _with_drawn_weights(
        self,
        question: Callable[[Callable[..., object], CallingConvention, Tensor, list[Tensor]], bool | None],
        convention: CallingConvention,
        states: list[Tensor],
    ) -> bool | None:
        """Ask a copy of the module with drawn weights: of weights of zero, as one may begin with, nothing is seen."""
        import torch

        drawn = copied_module(self._untouched)
        if drawn is self._untouched:
            return None
        with torch.no_grad():
            for index, parameter in enumerate(drawn.parameters()):
                if parameter.is_floating_point():
                    generator = torch.Generator().manual_seed(index)
                    numbers = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                    parameter.copy_(numbers.to(parameter.dtype))
        try:
            return question(own_call(drawn), convention, self.x, states)
        except Exception:  # a module of the user's may raise anything with other weights than its own
            return None

    def _check_dtype(self, result: object) -> None:
        """Raise TypeError if something else than the dtype that went in comes out."""
        dtypes = {leaf.tensor.dtype for leaf in result_leaves(result) if leaf.tensor.is_floating_point()}
        if dtypes - {self._dtype} and self._dtype not in dtypes:
            raise TypeError(f"{self._dtype} goes in, {', '.join(sorted(map(str, dtypes)))} comes out")

    def _check_precision(self, convention: CallingConvention, result: object) -> None:
        """Raise TypeError if outputs or a state are of float32 where float64 goes in, as arrays without a dtype are.

        So it does where they are no arrays of numbers at all: sparse, or without numbers.
        """
        import torch

        leaves = list(result_leaves(result))
        places = () if convention.listed else convention.taken
        for tensor in (leaves[place].tensor for place in places):
            if tensor.is_meta or tensor.layout is not torch.strided:
                raise TypeError(f"a tensor {'of the device meta' if tensor.is_meta else 'that is sparse'} comes out")
        if self._dtype == torch.float64 and any(leaves[place].tensor.dtype == torch.float32 for place in places):
            raise TypeError("torch.float64 goes in, torch.float32 comes out")

    def last_step_attempts(self) -> Iterator[CallingConvention]:
        """List the ways of calling it for a sequence in which the last output alone may have come back."""
        yield from (replace(attempt, prefixes=True) for attempt in tuple(self.unfitting))

    def in_declared_order(self) -> CallingConvention | None:
        """Return the way that fits if its documentation says that batch and time change places."""
        if not documents_both_orders(self.module):
            return None
        return self.first_fit([in_declared_order(attempt) for attempt in tuple(self.unfitting)])

    def raise_layout_fault(self) -> None:
        """Raise WrongLayout if the outputs are laid out otherwise than the inputs."""
        for attempt in tuple(self.unfitting):
            fault = layout_fault(self.call, attempt, self.x, self.states(attempt.states), self.sizes)
            if fault:
                raise WrongLayout(fault)


def _holds_states_apart(convention: CallingConvention) -> bool:
    """Say whether a whole batch goes in, and its states in a structure that no tensor can be taken for."""
    return convention.takes_rows and convention.states > 0 and convention.state_form.container != "tensor"


def several_layers_message(module: nn.Module, layers: int) -> str:
    """Say that a target has several layers, and what to do.

    Args:
        module: The target.
        layers: How many layers its states have.
    """
    return (
        f"cannot drive {type(module).__name__}: its states have shape ({layers}, B, d), for {layers} layers, and one "
        f"layer at a time can be held against an equation. If its constructor takes their number, give it, as --init "
        f"num_layers=1; else give the class of one layer"
    )


def several_layers_hint(module: nn.Module) -> str:
    """Return a sentence about layers of several cells, which cannot be driven; empty if the module is none.

    Args:
        module: A module that no way of calling fits.
    """
    for _, part in module.named_modules():
        # Modules of any origin: only those that follow torch's layers have these attributes.
        if attribute(part, "bidirectional", bool) or (attribute(part, "num_layers", int) or 1) > 1:
            return " It has several layers or directions: one cell in one direction can be compared with an equation"
    return ""
