# The environment of the project, to run its two commands:
#   docker build -t textlvm . && docker run --rm -v "$PWD/results:/textlvm/results" textlvm make demo
#   docker run --rm textlvm make test
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ git make \
    && rm -rf /var/lib/apt/lists/*

# Downloaded packages would double the size of the image.
ENV PIP_NO_CACHE_DIR=1

WORKDIR /textlvm
# The pins first: a change of the sources does not build the environment again.
COPY envs envs
RUN envs/build
COPY . .
CMD ["make", "demo"]
