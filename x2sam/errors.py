"""Every error this package raises on purpose.

X2SAMError
├── MediaError        the file cannot be read, or is not what it says it is
├── PromptError       the request makes no sense
├── WeightsError      the checkpoint does not fit the model
├── LimitError        the input is larger than what is allowed
└── DeviceFullError   the device is out of memory

Their messages are written for the person at the screen. Anything else that
escapes is a bug, and should look like one.
"""


class X2SAMError(Exception):
    """Base of what a user can cause; the message is a sentence for the screen."""


class MediaError(X2SAMError):
    """A picture or clip cannot be read."""


class PromptError(X2SAMError):
    """A request makes no sense, or asks for something that is not there."""


class WeightsError(X2SAMError):
    """A checkpoint is missing, damaged, or does not fit the model."""


class LimitError(X2SAMError):
    """The input is larger than what is allowed; the message says how large is."""


class DeviceFullError(X2SAMError):
    """The device is out of memory; the message says what to lower."""


def reason(error: BaseException) -> str:
    r"""Say in one line why something else failed: what the error says first, else its kind.

    >>> reason(OSError("\nno such device\nat all")), reason(TimeoutError())
    ('no such device', 'TimeoutError')
    """
    return str(error).strip().partition("\n")[0].strip() or type(error).__name__
