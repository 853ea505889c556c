"""The page: a picture or clip, a conversation about it, and the objects found in it.

`page.serve` starts it. Nothing is reported to anybody: both libraries that would are told not to
here, before either of them is imported.
"""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
