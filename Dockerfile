# syntax=docker/dockerfile:1
# The images of docker-compose.yaml. Every step that builds works below its WORKDIR alone, so that a
# test can run the same steps without an engine, in an empty folder. Stages are built side by side: each
# has cache mounts of its own, as cargo's lock does not lie in one.

# Our programs. The compiler is the image's: rust-toolchain.toml would have clippy fetched for nothing.
# Dependencies stay in the cache mounts: a change of ours builds ours alone.
FROM rust:1.95.0-bookworm AS services
RUN apt-get update && apt-get install --yes --no-install-recommends libprotobuf-dev protobuf-compiler zlib1g-dev
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY proto proto
COPY mesh mesh
COPY services services
COPY gateway gateway
COPY tests tests
COPY benches benches
ARG CARGO_PROFILE=release
ARG CARGO_OUTPUT=release
RUN --mount=type=cache,id=services-crates,target=/usr/local/cargo/registry \
    --mount=type=cache,id=services-target,target=/build/target \
    cargo build --locked --workspace --bins --exclude bionicpro-benches --profile "$CARGO_PROFILE" \
    && mkdir -p out/bin out/contracts \
    && for name in auth reports ingest cdc gateway; do \
         cp "${CARGO_TARGET_DIR:-target}/$CARGO_OUTPUT/bionicpro-$name" out/bin/; \
       done \
    && cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/prost-protovalidate-types-*/proto/buf out/contracts/

# The app. buf reads the one foreign contract from where `cargo stack` lays it, too.
FROM node:24-bookworm-slim AS app
WORKDIR /build
COPY buf.yaml buf.gen.yaml ./
COPY proto proto
COPY --from=services /build/out/contracts .stack/proto
COPY frontend frontend
RUN --mount=type=cache,target=/root/.npm \
    npm ci --prefix frontend && npm run build --prefix frontend

# grpcurl, for health checks and for the steps that call our services.
FROM golang:1.24-bookworm AS tools
WORKDIR /build
COPY stack/tools stack/tools
RUN --mount=type=cache,target=/go/pkg/mod \
    cd stack/tools \
    && GOBIN="$(cd ../.. && pwd)/out" go install -trimpath -ldflags='-s -w' github.com/fullstorydev/grpcurl/cmd/grpcurl

# `cargo stack`, for the one-shot steps: roles, buckets, connector, seed, first load.
FROM rust:1.95.0-bookworm AS cli
WORKDIR /build
COPY stack/cli stack/cli
ARG CARGO_PROFILE=release
ARG CARGO_OUTPUT=release
RUN --mount=type=cache,id=cli-crates,target=/usr/local/cargo/registry \
    --mount=type=cache,id=cli-target,target=/build/target \
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}" \
    && export CARGO_TARGET_DIR \
    && cargo build --locked --manifest-path stack/cli/Cargo.toml --profile "$CARGO_PROFILE" \
    && mkdir -p out && cp "$CARGO_TARGET_DIR/$CARGO_OUTPUT/bionicpro-stack" out/

# Kafka, Connect and Debezium: the same jars as natively.
FROM maven:3.9-eclipse-temurin-17 AS jars
WORKDIR /build
COPY stack/kafka/pom.xml kafka/pom.xml
COPY stack/debezium/pom.xml debezium/pom.xml
RUN --mount=type=cache,target=/root/.m2 \
    mvn --batch-mode --quiet --file kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/out/kafka/libs" \
    && mvn --batch-mode --quiet --file debezium/pom.xml dependency:unpack-dependencies@connector -DoutputDirectory="$PWD/out/debezium/plugins" \
    && mvn --batch-mode --quiet --file debezium/pom.xml dependency:copy-dependencies@opentelemetry -DoutputDirectory="$PWD/out/debezium/opentelemetry"

FROM debian:12-slim AS runtime
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY --from=tools /build/out/grpcurl /usr/local/bin/
USER 10001:10001

FROM runtime AS auth
COPY --from=services /build/out/bin/bionicpro-auth /usr/local/bin/
ENTRYPOINT ["bionicpro-auth"]
CMD ["serve"]

FROM runtime AS reports
COPY --from=services /build/out/bin/bionicpro-reports /usr/local/bin/
ENTRYPOINT ["bionicpro-reports"]
CMD ["serve"]

FROM runtime AS ingest
COPY --from=services /build/out/bin/bionicpro-ingest /usr/local/bin/
ENTRYPOINT ["bionicpro-ingest"]
CMD ["serve"]

FROM runtime AS cdc
COPY --from=services /build/out/bin/bionicpro-cdc /usr/local/bin/
ENTRYPOINT ["bionicpro-cdc"]
CMD ["serve"]

FROM runtime AS gateway
COPY --from=services /build/out/bin/bionicpro-gateway /usr/local/bin/
COPY --from=app /build/frontend/dist /opt/bionicpro/app
ENTRYPOINT ["bionicpro-gateway"]
CMD ["serve"]

FROM chrislusf/seaweedfs:4.48 AS seaweedfs

# The one-shot steps. `stack/` makes the folder a checkout, from which they take the tables that are seeded.
FROM debian:12-slim AS stack
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=10001 --group=10001 /stack
COPY --from=tools /build/out/grpcurl /opt/bionicpro/tools/
COPY --from=seaweedfs /usr/bin/weed /opt/bionicpro/seaweedfs/bin/
COPY --from=cli /build/out/bionicpro-stack /usr/local/bin/
COPY stack /bionicpro/stack
COPY --chown=10001:10001 stack/compose /stack
WORKDIR /bionicpro
ENV BIONICPRO_CACHE=/nonexistent
USER 10001:10001
ENTRYPOINT ["bionicpro-stack", "--profile", "compose"]

FROM eclipse-temurin:17-jre-jammy AS kafka
COPY --from=jars /build/out /opt/bionicpro
COPY stack/kafka/log4j2.properties /bionicpro/stack/kafka/
COPY stack/debezium/logging.properties /bionicpro/stack/debezium/
RUN install --directory --owner=10001 --group=10001 /var/lib/kafka
USER 10001:10001

FROM quay.io/keycloak/keycloak:26.7.3 AS keycloak
COPY stack/keycloak/build.conf /opt/keycloak/conf/keycloak.conf
RUN /opt/keycloak/bin/kc.sh build
ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]
