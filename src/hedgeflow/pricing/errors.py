"""The one refusal of this room."""


class PricingInputError(ValueError):
    """An argument holds a value that no option can have.

    Attributes
    ----------
    argument : str
        Name of the argument.
    index : tuple of int
        Where in the argument, before broadcasting; empty for a scalar.
    value : object
        The offending value.
    expected : str
        What was expected.
    """

    def __init__(self, argument: str, index: tuple[int, ...], value: object, expected: str) -> None:
        self.argument = argument
        self.index = index
        self.value = value
        self.expected = expected
        where = f"{argument}[{', '.join(map(str, index))}]" if index else argument
        super().__init__(f"{where} is {value!r}; expected {expected}")
