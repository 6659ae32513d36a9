"""`attent --help-all`: the help of the group and of every verb in one text, for reading offline and for searching."""

import click


def help_all(context: click.Context) -> str:
    """Returns the help of a group and then of its commands, each under a line with its name.

    Args:
      context: the context of the group.
    """
    group = context.command
    texts = [group.get_help(context)]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        with click.Context(command, info_name=name, parent=context) as inner:
            texts.append(f"{'=' * 8} {inner.command_path} {'=' * 8}\n\n{command.get_help(inner)}")
    return "\n\n".join(texts)


def show_help_all(context: click.Context) -> None:
    """Prints it and ends the command."""
    click.echo(help_all(context))
    context.exit()
