# Lamina's Node host: `npm run build`, then `docker build --tag lamina .`. The base brings Node 24 and nothing else that runs.
# It works with a read-only root file system; what it keeps is in /data, or in S3. docs/deploy.md tells the settings.
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM scratch AS empty
WORKDIR /data

FROM ${BASE}
# The release writes its own.
ARG VERSION=unreleased
LABEL org.opencontainers.image.title="Lamina" \
      org.opencontainers.image.description="Tells what is inside container images and what changed between two of them" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY LICENSE /lamina/LICENSE
COPY dist/node /lamina
COPY --from=empty --chown=65532:65532 /data /data
# Node is in /nodejs/bin in distroless images, in /usr/local/bin in Docker's own. With MALLOC_* glibc gives memory back that
# threads have freed, instead of keeping a heap for each.
ENV PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin \
    NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    HOST=0.0.0.0 \
    PORT=8080 \
    LAMINA_DATA=/data
USER 65532:65532
WORKDIR /lamina
VOLUME ["/data"]
EXPOSE 8080
HEALTHCHECK --start-period=5s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node 22 and newer let short-lived objects take 128 MB of the main thread's heap.
ENTRYPOINT ["node", "--max-semi-space-size=16", "start.js"]
CMD []
