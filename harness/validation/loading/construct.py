"""Construct a cell of the sizes that are wanted, from a class or function however its arguments are arranged."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError, first_line
from rnn_harness.options import Options, OptionTable
from rnn_harness.runtime.target_call import construct_target
from rnn_harness.validation.cells.callable_facts import module_of
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.config_objects import (
    NO_FIELD,
    configurations,
    is_config_name,
    is_configuration,
    with_sizes,
)
from rnn_harness.validation.loading.named_arguments import named_arguments
from rnn_harness.validation.loading.size_arguments import (
    SizeNames,
    argument_names,
    further_sizes,
    has_both_sizes,
    is_size_name,
    size_names,
)
from rnn_harness.validation.loading.usual_values import has_usual_value, usual_kernels, usual_value


@dataclass(frozen=True)
class Construction:
    """A way to construct cells.

    Attributes:
        make: Makes a cell of given sizes.
        fixed_sizes: The only sizes for which it makes one, if they are known beforehand.
        any_sizes: Whether the sizes are those that are asked for; else they are the cell's own.
        is_certain: Whether the names of the arguments leave no doubt which size is which.
        is_guess: Whether it counts only where the cell that it makes can be called.
        learns_input_size: Whether the cell learns its input size when it is called, as those of Keras and Flax do.
        needs_equal_sizes: Whether it was made only when both sizes were equal, as cells are that add their inputs to
            their outputs.
    """

    make: Callable[[CellSizes], object]
    fixed_sizes: CellSizes | None = None
    any_sizes: bool = True
    is_certain: bool = False
    is_guess: bool = False
    learns_input_size: bool = False
    needs_equal_sizes: bool = False

    def sizes_note(self, options: Options) -> str:
        """Say that the user, or the cell, leaves only the sizes that are tried; nothing where any may be tried.

        Args:
            options: What the user gives for the constructor.
        """
        sizes = self.fixed_sizes
        if self.needs_equal_sizes and sizes is not None:
            return f"it is made only where its input size equals its hidden size: no sizes but {sizes[0]} are tried"
        if sizes is None or not {*sizes} & {value for value in options.values() if type(value) is int}:
            return ""
        chosen = f"{sizes.input_size} inputs and {sizes.hidden_size} units"
        return f"no sizes but {chosen} are tried, since --init gives them: leave them out to have others tried"


def constructions(
    name: str,
    maker: Callable[..., object],
    sizes: CellSizes,
    options: Options,
    defaults: Options,
) -> Iterator[tuple[Construction, Any]]:
    """Yield the ways to construct a cell that work, likely ones first, each with a cell that it made.

    Args:
        name: What to call it in messages.
        maker: The class or function.
        sizes: The sizes of the cell that is made; they go in by name where the arguments have usual names, else in
            the first two places, in either order.
        options: Further arguments that the user gives. A text that is the name of something in the maker's module
            may stand for it.
        defaults: Further arguments that its library needs, where the user gives none and the maker takes them.

    Raises:
        UsageError: There is none; the message holds the error of the first.
    """
    known = argument_names(maker)
    # A key or a source of random numbers is no text: what was typed for it is what its library gives in any case.
    options = {key: value for key, value in options.items() if key not in defaults or not isinstance(value, str)}
    takes_any = any(argument.kind is argument.VAR_KEYWORD for argument in known.values())
    unknown = sorted(set(options) - set(known)) if known and not takes_any else []
    if unknown:
        raise UsageError(f"{name} takes no {', '.join(unknown)}; it takes {', '.join(known)}")
    errors: list[str] = []
    works = False
    for construction in _constructions(maker, known, takes_any, options, defaults):
        try:
            cell = construct_target(construction.make, construction.fixed_sizes or sizes)
        except (Exception, SystemExit) as error:  # a constructor may raise anything
            errors.append(f"{type(error).__name__}: {first_line(error)}")
        else:
            works = True
            yield construction, cell
    if not works:
        shown = ", ".join(str(argument) for argument in known.values()) or "without arguments that show"
        n, d = sizes
        raise UsageError(
            f"{name}({shown}) cannot be made for input size {n} and hidden size {d}: {_plainest(errors)}; give what it "
            f"needs besides with {_needed_options(known, {**options, **defaults})}, or name a function that makes it:\n"
            f"{_factory_text(name)}"
        )


def construct_cell(
    name: str,
    maker: Callable[..., object],
    sizes: CellSizes,
    options: Options,
    defaults: Options,
) -> Any:
    """Call a class or function so that it makes a cell of these sizes.

    Args:
        name: What messages call it.
        maker: The class or function.
        sizes: The sizes that are wanted.
        options: The values that the user gives, by argument.
        defaults: Values for arguments that the user does not give.

    Raises:
        UsageError: No call makes one.
    """
    return next(constructions(name, maker, sizes, options, defaults))[1]


def _needed_options(known: Mapping[str, inspect.Parameter], options: Options) -> str:
    """Name the options that a user may have to type: arguments without a value that are no sizes."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    required = [key for key, value in known.items() if value.default is value.empty and value.kind not in kinds]
    sizes = size_names(known)
    placed = (*sizes.inputs, *sizes.hidden) or tuple(required[:2])
    needed = [key for key in required if key not in (*placed, *options) and not has_usual_value(key)]
    if any(is_config_name(key) and key not in options for key in required):
        needed = [key for key in required if key not in options and is_config_name(key)]
        return f"--init {needed[0]}=NAME, a dictionary or an object of that name in the same file"
    return " ".join(f"--init {key}=..." for key in needed) or "--init key=value"


def _plainest(errors: Sequence[str]) -> str:
    """The error that says most: what a configuration lacks, or the first."""
    return next((error for error in errors if NO_FIELD in error), errors[0])


def _factory_text(name: str) -> str:
    """The lines of a function that makes a cell, ready to paste."""
    short = name.rpartition(":")[2]
    return f"    def make_cell(input_size, hidden_size):\n        return {short}(...)  # of these sizes"


def _constructions(
    maker: Callable[..., object],
    known: Mapping[str, inspect.Parameter],
    takes_any: bool,
    options: Options,
    defaults: Options,
) -> Iterator[Construction]:
    """List the ways to construct a cell, whether they work or not."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    arguments = {name: argument for name, argument in known.items() if argument.kind not in variadic}
    required = [name for name, argument in arguments.items() if argument.default is argument.empty]
    further = {key: value for key, value in defaults.items() if takes_any or key in known}
    stated = _stated_arguments(maker, known)
    usual = {key: usual_value(key) for key in required if has_usual_value(key)}
    chosen = {**usual, **stated, **further}
    for chosen_options, kernels in itertools.product(_readings(maker, options), usual_kernels(required, options)):
        values = {**chosen, **kernels, **chosen_options}
        for config in required:
            if is_configuration(chosen_options.get(config)):
                yield from _configured(maker, arguments, config, chosen_options[config], values)
            elif is_config_name(config) and config not in chosen_options:
                for configuration in configurations(maker, arguments[config]):
                    yield from _configured(maker, arguments, config, configuration, values)
        yield from _sized(maker, arguments, values, set(chosen_options))  # last: a number is no configuration
        if all(name in values for name in required):
            yield Construction(lambda _, values=values: maker(**values), any_sizes=False)  # type: ignore[misc]
    named = None if takes_any else named_arguments(maker, {**chosen, **options})
    if named is not None:
        yield Construction(lambda _: maker(**named, **chosen, **options))
    names = size_names(arguments)
    if names.inputs and names.hidden and not {*names.inputs, *names.hidden} & {*options}:
        values = {key: value for key, value in {**chosen, **options}.items() if key in arguments or takes_any}
        yield Construction(
            lambda s: maker(**names.values(*s), **values), _SQUARE, is_guess=True, needs_equal_sizes=True
        )


def _sized(
    maker: Callable[..., object],
    arguments: Mapping[str, inspect.Parameter],
    further: Options,
    fixed_names: set[str],
) -> Iterator[Construction]:
    """List the ways to hand over sizes by name, then by place.

    Args:
        maker: The class or function.
        arguments: The maker's arguments by name.
        further: Values of further arguments.
        fixed_names: The names of those that the user gives, which no size replaces.
    """
    names = size_names(arguments)
    inputs = tuple(name for name in names.inputs if name not in fixed_names)
    hidden = tuple(name for name in names.hidden if name not in fixed_names)
    unsized = {key: value for key, value in further.items() if key not in (*inputs, *hidden)}
    fixed = _given_sizes(names.inputs, names.hidden, {key: unsized[key] for key in fixed_names if key in unsized})
    by_name = SizeNames(inputs, hidden)
    if not names.inputs and len(hidden) == 1:
        learning = SizeNames((), hidden)
        yield Construction(lambda s: maker(**learning.values(*s), **unsized), learns_input_size=True)
    if len(names.inputs) + len(names.hidden) == 1 and fixed is None:
        yield Construction(
            lambda s: maker(**by_name.values(s.hidden_size, s.hidden_size), **unsized), _SQUARE, is_guess=True
        )
    elif inputs or hidden or fixed is not None:
        is_certain = has_both_sizes(arguments)
        yield Construction(lambda s: maker(**by_name.values(*s), **unsized), fixed, is_certain=is_certain)
        lacking = further_sizes(arguments, {*inputs, *hidden, *unsized})
        if lacking:
            yield Construction(lambda s: maker(**by_name.values(*s), **unsized, **lacking), fixed, is_guess=True)
            # States of one width are driven where arrays are bare, too.
            yield Construction(
                lambda s: maker(**by_name.values(*s), **unsized, **dict.fromkeys(lacking, s.hidden_size)),
                fixed,
                is_guess=True,
            )
        elif suggested := named_arguments(maker, {**unsized, **by_name.values(*_SQUARE)}) if inputs and hidden else {}:
            # A length or a number of classes, beside both sizes.
            yield Construction(lambda s: maker(**by_name.values(*s), **unsized, **suggested), fixed)
    places = [name for name, argument in arguments.items() if argument.kind is not argument.KEYWORD_ONLY][:2]
    unplaced = {key: value for key, value in further.items() if key not in places or key in fixed_names}
    yield Construction(lambda s: maker(s.input_size, s.hidden_size, **unplaced))
    unnamed = further_sizes(arguments, {*places, *unplaced})
    if unnamed:
        yield Construction(lambda s: maker(s.input_size, s.hidden_size, **unplaced, **unnamed), is_guess=True)
    if not (names.inputs and names.hidden):
        yield Construction(lambda s: maker(s.hidden_size, s.input_size, **unplaced), is_guess=True)
        yield Construction(lambda s: maker(s.hidden_size, **unplaced), _SQUARE, is_guess=True)


_SQUARE = CellSizes(6, 6)
"""The sizes of a cell that has one size alone."""


def _given_sizes(inputs: tuple[str, ...], hidden: tuple[str, ...], options: Options) -> CellSizes | None:
    """The only sizes that a user leaves, who gives one of them or both; None if they give none."""
    n = next((value for name in inputs if isinstance(value := options.get(name), int)), None)
    d = next((value for name in hidden if isinstance(value := options.get(name), int)), None)
    if n is None and d is None:
        return None
    # Sizes that are equal would leave open which axis of a weight is which.
    return CellSizes((5 if d != 5 else 4) if n is None else n, (3 if n != 3 else 4) if d is None else d)


def _configured(
    maker: Callable[..., object],
    arguments: Mapping[str, inspect.Parameter],
    config: str,
    configuration: object,
    further: Options,
) -> Iterator[Construction]:
    """List the ways to construct a cell from a configuration: alone, or beside arguments that are sizes.

    Args:
        maker: The class or function.
        arguments: The maker's arguments by name.
        config: The name of the argument that is the configuration.
        configuration: What is handed over for it, with the sizes that are wanted.
        further: Values of further arguments.
    """
    values = {key: value for key, value in further.items() if key != config}
    lacking = [
        name
        for name, argument in arguments.items()
        if argument.default is argument.empty and name != config and name not in values
    ]
    if not lacking:
        yield Construction(lambda s: maker(**{config: with_sizes(configuration, *s)}, **values))
        return
    names = size_names(lacking)
    if {*names.inputs, *names.hidden} != {*lacking}:  # by place: the input size comes first, as nearly everywhere
        if len(lacking) > 2:
            return
        names = SizeNames(tuple(lacking[:1]), tuple(lacking[1:]))
    yield Construction(
        lambda s: maker(**names.values(*s), **{config: with_sizes(configuration, *s)}, **values), is_guess=True
    )


def _readings(maker: Callable[..., object], options: Options) -> Iterator[OptionTable]:
    """The options as they are, and with the names of configurations, or of anything else, in the maker's module."""
    module = vars(module_of(maker))
    named = {key: module[value] for key, value in options.items() if isinstance(value, str) and value in module}
    configured = {key: value for key, value in named.items() if is_configuration(value)}
    if configured:
        yield from _with_configurations(options, configured)
        return
    yield dict(options)
    if named:
        yield {**options, **named}


def _with_configurations(options: Options, configured: Options) -> Iterator[OptionTable]:
    """The options with configurations in the place of their names; a class of them is called."""
    instances = {key: value() if isinstance(value, type) else value for key, value in configured.items()}
    yield {**options, **instances}


def _stated_arguments(maker: Callable[..., object], known: Mapping[str, inspect.Parameter]) -> OptionTable:
    """The arguments that ``get_init_inputs`` next to a class gives for it, by name; none without that function."""
    stated = vars(module_of(maker)).get("get_init_inputs")
    if not callable(stated):
        return {}
    try:
        return dict(zip(known, stated(), strict=False))
    except Exception:  # it may need what is not there
        return {}


def stated_sizes(cell: object) -> CellSizes | None:
    """Return the sizes of an object that has them as attributes of usual names; None if it does not say both.

    Args:
        cell: Any object; reading its attributes may run code of its own.
    """
    attributes = {name: attribute(cell, name, object) for name in dir(cell) if is_size_name(name)}
    whole = {name: value for name, value in attributes.items() if type(value) is int}
    names = size_names(whole)
    if len(names.inputs) != 1 or len(names.hidden) != 1:
        return None
    return CellSizes(whole[names.inputs[0]], whole[names.hidden[0]])
