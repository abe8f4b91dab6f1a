/** What a config says about containers, and the steps that built the image. */

export type Healthcheck = {
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', command]`. */
  readonly test: readonly string[]
  /** Nanoseconds, as in Go's durations. */
  readonly interval?: number | undefined
  readonly timeout?: number | undefined
  readonly startPeriod?: number | undefined
  readonly startInterval?: number | undefined
  readonly retries?: number | undefined
}

/** How a container starts. */
export type RunConfig = {
  /** `NAME=value` each, in the config's order. */
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly entrypoint?: readonly string[] | undefined
  readonly cmd?: readonly string[] | undefined
  readonly user?: string | undefined
  readonly workingDir?: string | undefined
  /** `80/tcp` each, sorted. */
  readonly exposedPorts: readonly string[]
  /** Paths, sorted. */
  readonly volumes: readonly string[]
  readonly healthcheck?: Healthcheck | undefined
  readonly stopSignal?: string | undefined
  /** For the shell form of `RUN`, `CMD` and `ENTRYPOINT`. */
  readonly shell?: readonly string[] | undefined
  readonly onBuild: readonly string[]
}

/** One step of the build. */
export type HistoryStep = {
  /** RFC 3339 in UTC. */
  readonly created?: string | undefined
  readonly createdBy?: string | undefined
  readonly comment?: string | undefined
  /** The step made no layer. */
  readonly emptyLayer: boolean
}
