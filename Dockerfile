# The page in a container, on a processor or on NVIDIA GPUs:
#
#   docker build -t x2sam .
#   docker run --rm -p 7860:7860 x2sam
#
#   docker build -t x2sam-cuda --build-arg DEVICE=cuda .
#   docker run --rm --gpus all -p 7860:7860 -v x2sam-weights:/weights x2sam-cuda \
#       --model hao9610/X2SAM --bits 4
#
# torch's wheel brings the CUDA libraries that it was built with; the CUDA image only says to the
# container's runtime what is wanted of the driver. `x2sam doctor` says whether the two go together:
#
#   docker run --rm --gpus all --entrypoint x2sam x2sam-cuda doctor
#
# TORCH adds a constraint where they do not, for instance --build-arg TORCH="torch==2.11.*".
ARG DEVICE=cpu
FROM ubuntu:24.04 AS cpu
FROM nvidia/cuda:13.0.2-base-ubuntu24.04 AS cuda
FROM ${DEVICE}

# Fonts: for names in Chinese, Japanese and Korean on exported overlays.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates fonts-noto-cjk gcc g++ python3 python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 10001 x2sam \
    && install --directory --owner=x2sam --group=x2sam /app /weights
USER x2sam
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PYTHONUNBUFFERED=1 \
    HF_HOME=/weights

# As scripts/setup does: torch first, so that building sam2 does not fetch a second one.
ARG TORCH=
COPY --chown=x2sam requirements.txt ./
RUN python3 -m venv .venv \
    && grep -E '^torch' requirements.txt > torch.txt \
    && pip install 'setuptools>=77' wheel ${TORCH:+"$TORCH"} -r torch.txt \
    && SAM2_BUILD_CUDA=0 pip install --no-build-isolation ${TORCH:+"$TORCH"} -r requirements.txt \
    && rm torch.txt

COPY --chown=x2sam . .
RUN pip install --no-build-isolation --no-deps --editable .

VOLUME /weights
EXPOSE 7860
HEALTHCHECK --start-period=60s CMD \
    python -c "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/', timeout=5)"
ENTRYPOINT ["x2sam", "demo", "--host", "0.0.0.0", "--port", "7860"]
