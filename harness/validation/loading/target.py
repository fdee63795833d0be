"""A target: a cell that a user names, as a torch module of the sizes that are wanted."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rnn_harness.errors import NotRun, UsageError, named_error
from rnn_harness.options import Options, OptionTable
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.cells.loss_function import LossFunction
from rnn_harness.validation.loading.adapters import Adapter, DrivenModule, choose_adapter, choose_backend
from rnn_harness.validation.loading.adapters.adapter import HeldPart, driving, new_object
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.adapters.array_objects import array_object_sizes, class_of_weights
from rnn_harness.validation.loading.adapters.haiku_functions import haiku_function
from rnn_harness.validation.loading.adapters.haiku_modules import deferred
from rnn_harness.validation.loading.adapters.handwritten.argument_names import methods_of_targets
from rnn_harness.validation.loading.adapters.handwritten.function_pairs import (
    FunctionOfTensors,
    FunctionPair,
    forward_partner,
    pair_of_class,
)
from rnn_harness.validation.loading.adapters.handwritten.late_weights import has_weights
from rnn_harness.validation.loading.adapters.handwritten.messages import computes_a_loss
from rnn_harness.validation.loading.adapters.init_and_apply import sizes_of_pair
from rnn_harness.validation.loading.adapters.linen_modules import size_with_resets
from rnn_harness.validation.loading.autograd_functions import (
    PreactivationCell,
    applied,
    is_autograd_function,
    preactivation_cell,
    step_of_preactivations,
)
from rnn_harness.validation.loading.cell_maker import CellMaker
from rnn_harness.validation.loading.choose_construction import chosen_construction
from rnn_harness.validation.loading.compiled_modules import CompiledModuleMaker
from rnn_harness.validation.loading.construct import construct_cell, constructions, stated_sizes
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.find_losses import loss_of_class
from rnn_harness.validation.loading.find_networks import network_or_cell
from rnn_harness.validation.loading.first_call import with_first_calls
from rnn_harness.validation.loading.fitting_sizes import fitting_sizes
from rnn_harness.validation.loading.function_kinds import is_step, names_configuration
from rnn_harness.validation.loading.function_networks import network_of_functions
from rnn_harness.validation.loading.joined_cells import has_further_inputs, joined_cell, note_of_joined
from rnn_harness.validation.loading.locate import locate_object
from rnn_harness.validation.loading.losses_of_objects import is_function, loss_of_object, with_loss_beside
from rnn_harness.validation.loading.made_states import with_made_states
from rnn_harness.validation.loading.options import take_options
from rnn_harness.validation.loading.own_errors import own_place
from rnn_harness.validation.loading.parameter_exchange import in_evaluation
from rnn_harness.validation.loading.pointwise_cells import at_one_point
from rnn_harness.validation.loading.size_arguments import argument_names, names_sizes
from rnn_harness.validation.loading.spatial_states import SpatialStates

if TYPE_CHECKING:
    from torch import nn

TRIAL_SIZES = CellSizes(5, 3)
"""The sizes that a target is made for to see what it is."""


@dataclass(frozen=True)
class Target:
    """A user's cell, ready to be made and driven.

    Attributes:
        name: What to call it.
        make_module: Makes a torch module of (input size, hidden size), which may stand for an object of another
            library.
        capabilities: What it takes and offers.
        declared_model: The cell that it declares itself to be; None if it does not say.
        in_space: Of a convolutional cell that this target is at one point: the same with space; None of any other.
    """

    name: str
    make_module: Callable[[int, int], nn.Module]
    capabilities: TargetCapabilities = field(default_factory=TargetCapabilities)
    declared_model: CellModel | None = None
    in_space: Target | None = None


def load_target(
    text: str, options: Options | None = None, adapter_name: str | None = None, state_names: tuple[str, ...] = ()
) -> Target:
    """Load the target that a text names.

    Args:
        text: ``package.module:Name``, ``path/file.py:Name`` or ``path/file.onnx``.
        options: What its constructor or its adapter needs besides the sizes.
        adapter_name: The adapter that must drive it; by default the first that accepts it.
        state_names: What the states are called by the equations that it is held against, where there are any.

    Raises:
        UsageError: It cannot be loaded or driven; the message says what was expected.
    """
    choose_backend()
    return target_of(text, locate_object(text), options, adapter_name, state_names)


def target_of(
    name: str,
    cell: Any,
    options: Options | None = None,
    adapter_name: str | None = None,
    state_names: tuple[str, ...] = (),
) -> Target:
    """Make a target of an object that an adapter drives, of its class, or of a function.

    Args:
        name: What to call it.
        cell: The object; a function makes cells of given sizes, or is one step.
        options: What its constructor or its adapter needs besides the sizes.
        adapter_name: The adapter that must drive it; by default the first that accepts it.
        state_names: What the states are called by the equations that it is held against, where there are any.

    Raises:
        UsageError: It cannot be driven; the message says what was expected.
    """
    arguments = dict(options or {})
    if is_autograd_function(cell):
        return _target_of_autograd_function(name, cell, arguments, adapter_name)
    if is_function(cell):
        cell = forward_partner(cell) or cell
    functions = pair_of_class(cell) if isinstance(cell, type) and adapter_name is None else None
    if functions is not None:
        cell = functions.pair
        arguments |= {} if functions.make_weights is None else {"params": functions.make_weights}
    loss = loss_of_object(cell, arguments) if adapter_name is None else None
    if loss is not None:
        return _loss_target(name, loss, loss.cannot_be_driven)
    if isinstance(cell, type):
        adapter = _chosen_adapter(name, cell, adapter_name)
        adapter_options = take_options(arguments, adapter.options)
        of_weights = class_of_weights(cell, arguments) if adapter.name == "numpy" else None
        if of_weights is not None:
            return _driven_target(name, adapter, lambda _: of_weights, adapter_options)
        make = deferred(cell) if adapter.name == "haiku" else cell
        maker = CellMaker(name, make, arguments, dict(adapter.defaults(cell)), state_names)
        try:
            target = _constructed_target(maker, adapter, adapter_options)
            return replace(target, capabilities=with_loss_beside(target.capabilities, cell, arguments))
        except UsageError as error:
            if adapter.name != "numpy":
                raise
            loss = loss_of_class(cell.__name__, cell, arguments)
            further_ways = functools.partial(_target_of_arrays, maker, adapter, adapter_options, error)
            if loss is not None:
                return _loss_target(name, loss, loss.cannot_be_driven)
            network = network_or_cell(cell, arguments, further_ways)
        return network if isinstance(network, Target) else _loss_target(name, network, network.cannot_be_driven)
    if isinstance(cell, FunctionPair) or is_function(cell):
        return _target_of_function(name, cell, arguments, adapter_name, state_names)
    adapter = _chosen_adapter(name, type(cell), adapter_name)
    adapter_options = take_options(arguments, adapter.options)
    if arguments:
        raise UsageError(f"{name} is made already: it takes no {', '.join(sorted(arguments))}")
    sizes = stated_sizes(cell) or _sizes_that_fit(cell, adapter)
    return _driven_target(name, adapter, lambda _: copy.deepcopy(cell), adapter_options, sizes)


def _loss_target(name: str, loss: LossFunction, message: str) -> Target:
    """The target that computes a loss, or outputs that are no states; it cannot be made as a cell."""

    def make_module(_n: int, _d: int) -> nn.Module:
        raise UsageError(message)

    return Target(name, make_module, TargetCapabilities(dtypes=("float64",), loss=loss))


def _constructed_target(maker: CellMaker, adapter: Adapter, options: Options) -> Target:
    """The target that a class or function makes; where its arguments may be sizes in several ways, the way that fits.

    Only of torch modules it is known whether they can be called, so for others the first way is taken. A library other
    than torch and NumPy may let its cells learn their input size when they are called.
    """
    if adapter.name == "numpy":
        return _target_of_arrays(maker, adapter, options, None)
    made = constructions(maker.name, maker.make, TRIAL_SIZES, maker.options, maker.defaults)
    if adapter.name == "torch":
        made = with_first_calls(with_made_states(made), TRIAL_SIZES)
    construction, cell = chosen_construction(made, TRIAL_SIZES, is_torch=adapter.name == "torch")
    sizes = construction.fixed_sizes
    if not construction.any_sizes:
        sizes = stated_sizes(cell) or _sizes_that_fit(cell, adapter)
    joined = joined_cell(cell, sizes or TRIAL_SIZES, maker.state_names) if adapter.name == "torch" else None
    made_for = sizes or TRIAL_SIZES
    make: Callable[[CellSizes], Any] = construction.make
    if joined is None:
        target = _driven_target(maker.name, adapter, make, options, sizes)
        return _with_note(target, construction.sizes_note(maker.options))
    wrap = joined.wrap
    target = _driven_target(maker.name, adapter, lambda _: wrap(make(made_for)), options, joined.sizes)
    target = _with_note(target, note_of_joined(joined, made_for))
    if has_further_inputs(joined):
        target = replace(target, capabilities=replace(target.capabilities, has_further_inputs=True))
    if isinstance(joined, SpatialStates):
        return _at_one_point(target, adapter, joined, make, sizes)
    return target


def _with_note(target: Target, note: str) -> Target:
    """The target with something more that a reader must know about how it is driven; an empty text adds nothing."""
    notes = target.capabilities.notes
    return replace(target, capabilities=replace(target.capabilities, notes=(*notes, note) if note else notes))


def _target_of_arrays(maker: CellMaker, adapter: Adapter, options: Options, first_error: UsageError | None) -> Target:
    """The target of NumPy arrays that a class makes in the first way; after its error, in the further ones."""
    made = constructions(maker.name, maker.make, TRIAL_SIZES, maker.options, maker.defaults)
    fitting = (way for way in made if not way[0].learns_input_size or not has_weights(way[1]))
    ways = slice(0, 1) if first_error is None else slice(1, _MOST_CONSTRUCTIONS)
    for construction, cell in itertools.islice(fitting, ways.start, ways.stop):
        sizes = construction.fixed_sizes
        if not construction.any_sizes:
            sizes = stated_sizes(cell) or _sizes_that_fit(cell, adapter)
        is_square = construction.is_guess and sizes is not None and sizes.input_size == sizes.hidden_size
        # Of one size alone, the input may be as wide as the state, or a single number.
        for tried in (sizes, CellSizes(1, sizes.hidden_size)) if is_square and sizes is not None else (sizes,):
            try:
                return _driven_or_both_directions(maker.name, adapter, construction.make, options, tried)
            except UsageError as error:
                first_error = first_error or error
    assert first_error is not None, "without a way that works, constructions raises"
    raise first_error


_MOST_CONSTRUCTIONS = 3


def _driven_or_both_directions(
    name: str, adapter: Adapter, make: Callable[[CellSizes], Any], options: Options, sizes: CellSizes | None
) -> Target:
    """The target of an object of NumPy arrays; its outputs may be the states of two directions side by side."""
    made_for = sizes or TRIAL_SIZES
    try:
        return _driven_target(name, adapter, make, options, sizes)
    except UsageError as error:
        both = CellSizes(made_for.input_size, 2 * made_for.hidden_size)
        try:
            target = _driven_target(name, adapter, lambda _: make(made_for), options, both)
        except UsageError:
            raise error from None
    note = f"its outputs are {both.hidden_size} wide, twice its hidden size, and judged by what holds for every layer"
    return _with_note(target, note)


def _at_one_point(
    target: Target, adapter: Adapter, spatial: SpatialStates, make: Callable[[CellSizes], Any], sizes: CellSizes | None
) -> Target:
    """A convolutional cell where its space is one point, so that its equations can be told; as it is if it has none."""

    def make_at_point(wanted: CellSizes) -> Any:
        point = at_one_point(make(wanted))
        if point is None:
            raise UsageError(f"{target.name} is another cell where its space is one point")
        return spatial.at(wanted).wrap(point)

    try:
        driven = _driven_target(target.name, adapter, make_at_point, {}, sizes)
        find_convention(in_evaluation(driven.make_module(*(sizes or TRIAL_SIZES))), *(sizes or TRIAL_SIZES))
    except Exception:  # a module at one point may raise anything
        return target
    note = "its convolutions are judged where space is one point: there each is a product with the middle of its kernel"
    return replace(driven, capabilities=replace(driven.capabilities, notes=(note,)), in_space=target)


def _target_of_function(
    name: str, function: Any, arguments: OptionTable, adapter_name: str | None, state_names: tuple[str, ...]
) -> Target:
    """A function that makes cells, if it takes sizes and gives something that can be driven; else one of a step."""
    of_haiku = haiku_function(function) if adapter_name in (None, "init-apply") else None
    if of_haiku is not None:
        adapter = _chosen_adapter(name, type(of_haiku.transformed(TRIAL_SIZES)), "init-apply")
        return _driven_target(name, adapter, of_haiku.transformed, arguments, of_haiku.own_sizes())
    known = set() if isinstance(function, FunctionPair) else set(argument_names(function))
    makes_cells = not isinstance(function, FunctionPair) and (
        (names_sizes(known) and not is_step(known)) or not known or names_configuration(function)
    )
    if adapter_name != "function" and makes_cells:
        cell = construct_cell(name, function, TRIAL_SIZES, arguments, {})
        adapter = _chosen_adapter(f"{name}, which gives a {type(cell).__name__}", type(cell), adapter_name)
        adapter_options = take_options(arguments, tuple(key for key in adapter.options if key not in known))
        return _constructed_target(CellMaker(name, function, arguments, {}, state_names), adapter, adapter_options)
    adapter = _chosen_adapter(name, type(function), adapter_name or "function")
    adapter_options = take_options(arguments, adapter.options)
    if arguments:
        raise UsageError(f"{name} is a function of one step: it takes no --init {', '.join(sorted(arguments))}")
    try:
        return _driven_target(name, adapter, lambda _: function, adapter_options)
    except UsageError:
        network = network_of_functions(function)
        if network is None:
            raise
    return _loss_target(name, network, network.cannot_be_driven)


def _target_of_autograd_function(name: str, cell: type, arguments: OptionTable, adapter_name: str | None) -> Target:
    """A step by torch.autograd.Function: a function with its weights as arguments, or one of pre-activations."""
    function = applied(cell)
    try:
        adapter = _chosen_adapter(name, FunctionPair, adapter_name or "function")
        return _driven_target(
            name, adapter, lambda _: FunctionOfTensors(function), take_options(arguments, adapter.options)
        )
    except UsageError:  # it takes no input, or no weights
        step = step_of_preactivations(function, *TRIAL_SIZES)
    adapter = _chosen_adapter(name, PreactivationCell, None)
    target = _driven_target(name, adapter, lambda sizes: preactivation_cell(step, *sizes), {})
    return _with_note(target, step.note())


def target_of_part(name: str, part: HeldPart) -> Target:
    """Make a target of a recurrent cell or layer inside of a model.

    Args:
        name: What to call it.
        part: The cell or layer.

    Raises:
        UsageError: It cannot be driven; the message says what was expected.
    """
    sizes = None if part.any_sizes else part.sizes
    adapter = _chosen_adapter(name, type(part.make(part.sizes)), None)
    return _driven_target(name, adapter, part.make, {}, sizes)


def _chosen_adapter(name: str, cell_type: type, adapter_name: str | None) -> Adapter:
    """The adapter for objects of a class. Raises UsageError if there is none."""
    adapter = choose_adapter(cell_type, adapter_name)
    if adapter is None:
        for method, arguments in methods_of_targets(cell_type):
            raise UsageError(computes_a_loss(f"{cell_type.__name__}.{method}", arguments))
        raise UsageError(
            f"{name} is a {cell_type.__module__}.{cell_type.__qualname__}; expected a module of torch, Keras, flax or "
            "equinox, an ONNX model, an object with arrays and a forward method, a function of one step, or what makes "
            "one"
        )
    return adapter


def _driven_target(
    name: str,
    adapter: Adapter,
    make_cell: Callable[[CellSizes], Any],
    options: Options,
    sizes: CellSizes | None = None,
) -> Target:
    """The target. Its cell is made once here, so that what cannot be made is reported at once."""

    def drive(n: int, d: int, has_values: bool = True) -> DrivenModule:
        cell = new_object(adapter, has_values, functools.partial(make_cell, CellSizes(n, d)))
        if adapter.name == "torch" and not adapter.accepts(type(cell)):
            raise UsageError(f"{name} gives a {type(cell).__name__}; expected a torch module")
        try:
            driven = driving(adapter, has_values)(cell, n, d, options)
        except (UsageError, NotRun):
            raise
        except Exception as error:  # its methods may raise anything
            place = own_place(error, cell)
            if not place:
                raise
            raise UsageError(
                f"cannot drive {name}: its own code raised {named_error(error)} (in {place}), called with input size "
                f"{n} and hidden size {d}"
            ) from error
        if isinstance(driven.module, ArrayLibraryModule):
            driven.module.label = name.rpartition(":")[2]
        return driven

    trial = drive(*(sizes or TRIAL_SIZES))
    # What joins states has other sizes than it was made with, and says so.
    capabilities = replace(trial.capabilities, fixed_sizes=trial.capabilities.fixed_sizes or sizes)

    if trial.capabilities.library == "JAX" and trial.remake is None:
        return Target(name, CompiledModuleMaker(drive), capabilities, trial.declared_model)

    def make_module(n: int, d: int) -> nn.Module:
        if trial.remake is None:
            return drive(n, d).module
        module = trial.remake(make_cell(CellSizes(n, d)), CellSizes(n, d))
        if isinstance(module, ArrayLibraryModule):
            module.label = name.rpartition(":")[2]
        return module

    return Target(name, make_module, capabilities, trial.declared_model)


def _sizes_that_fit(cell: Any, adapter: Adapter) -> CellSizes | None:
    """The sizes of an object that does not state them; None if it may have any, or none fit."""
    finders: dict[str, Callable[[Any], CellSizes | None]] = {"torch": fitting_sizes, "numpy": array_object_sizes}
    finders |= {"flax.linen": size_with_resets, "init-apply": sizes_of_pair}
    return finders[adapter.name](cell) if adapter.name in finders else None
