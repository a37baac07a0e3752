# Diptych on the CPU: `docker build -t diptych . && docker run --rm diptych` trains the small comparison.
# A page that translates: compose.yaml.
FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
WORKDIR /opt/diptych
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY docs/equations.md docs/equations.md
COPY src src
# Where the package index gives PyTorch with CUDA, name one with a CPU build: --build-arg TORCH_INDEX=URL.
ARG TORCH_INDEX=""
RUN pip install --constraint constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch==2.13.0 \
    && pip install --constraint constraints.txt '.[tensorflow,pytorch,serve,convert]' \
    && useradd --create-home --uid 1000 diptych
COPY configs /home/diptych/configs
USER 1000
WORKDIR /home/diptych
VOLUME /home/diptych/runs
ENTRYPOINT ["diptych"]
CMD ["compare", "--quick"]
