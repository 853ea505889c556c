"""Where hosting services such as Hugging Face Spaces start the page: `python app.py`.

It is `x2sam demo` and takes the same options. Where nobody can give options, `X2SAM_MODEL` names
the model; otherwise the published 4B (hao9610/X2SAM) answers on ZeroGPU, and nano elsewhere.

On ZeroGPU the model is loaded before the page is up, onto the GPU that is lent later, and a GPU is
borrowed for each request, for as long as the request may take. Loading nano, in 4 bits as well, was
tried with the package `spaces` and no GPU, and requests with a stand-in for it; a Space itself, and
the published weights on one, were not.
"""

import sys

from x2sam.cli import main

if __name__ == "__main__":
    sys.exit(main(["demo", *sys.argv[1:]]))
