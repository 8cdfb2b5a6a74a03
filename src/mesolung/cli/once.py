"""A command each of whose options may stand once."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from mesolung.reading import Refusal


class OnceCommand(TyperCommand):
    """A command that refuses an option given twice, where the parser would keep the last value in silence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command's words.

        Arguments:
            ctx: of the command.
            args: what stands after its name.

        Returns:
            words that are left over.

        Raises:
            Refusal: for an option that stands twice, under one name or two.
        """
        # The parser takes words off the list that it is given.
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for param in order:
            if param.param_type_name == "option" and not param.multiple and order.count(param) > 1:
                raise Refusal(f"{max(param.opts, key=len)} stands twice", allowed="once")
        return super().parse_args(ctx, args)
