"""Options before a verb: pass them to the verb if it has them, else refuse them; never drop them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping


def pass_to_verb(context: typer.Context) -> None:
    """Pass the options of this group, and those of the group before it, to the verb that follows.

    Options after the verb take precedence. Raise `typer.BadParameter` for an option that the verb does not have.
    """
    verb = context.invoked_subcommand
    if verb is None:
        return
    before: Mapping[str, Any] = context.obj or {}
    given = {**_find_given(context), **before}
    if not given:
        return
    command: Any = context.command
    following: Any = command.get_command(context, verb)
    if following is None:  # an unknown verb is refused by name
        return
    if hasattr(following, "commands") and not following.invoke_without_command:
        context.obj = given  # its own verb takes them
        return
    taken = {parameter.name for parameter in following.params}
    for name in given:
        if name not in taken:
            what = f"--{name.replace('_', '-')} is not an option of {context.command_path} {verb}; leave it out"
            raise typer.BadParameter(what, ctx=context)
    context.default_map = {**(context.default_map or {}), verb: given}


def _find_given(context: typer.Context) -> Mapping[str, Any]:
    """Return the options of this group that are on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = [name for name, source in sources.items() if getattr(source, "name", "") == "COMMANDLINE"]
    return {name: context.params[name] for name in given}
