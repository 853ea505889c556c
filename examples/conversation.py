"""Talk about one picture: every sentence may lean on the ones before.

python examples/conversation.py [PICTURE]
"""

import sys

import x2sam
from x2sam.types import Done, NotFound

picture = sys.argv[1] if len(sys.argv) > 1 else "assets/street.png"

SENTENCES = (
    "the red car",
    "the one to its right",
    "rename the first one to Herbie",
    "what is in this picture?",
    "describe this with masks",
    "hide everything but Herbie",
)

with x2sam.load("nano").open(picture) as session:
    for sentence in SENTENCES:
        print(f"> {sentence}")
        try:
            for event in session.ask(sentence):
                if isinstance(event, NotFound):
                    print(f"  not found: {event.what}")
                elif isinstance(event, Done):
                    print(f"  {event.text} objects {event.objects}")
        except x2sam.PromptError as error:  # the list may lack what is spoken of
            print(f"  {error}")
    for each in session.objects:
        print(each.id, each.name, "" if each.shown else "(hidden)")
