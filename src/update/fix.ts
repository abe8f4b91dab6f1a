/** What to change in a build so that an update pulls less, in the terms of the tool that made the image. */
import type { Builder } from './builder.ts'
import type { RewriteCause } from './contents.ts'

export type UpdateCauseName = 'repacked' | 'moved' | 'archive' | RewriteCause

const TIMES = 'Set `SOURCE_DATE_EPOCH`'

/** For a Dockerfile, whichever tool builds it. Each fits on two lines of a terminal. */
const FIXES: Readonly<Record<UpdateCauseName, string>> = {
  repacked: 'Use the same builder and compression for each build, with `force-compression` off.',
  times: `${TIMES} and build with \`rewrite-timestamp=true\`, so that unchanged files keep their times.`,
  owner: 'Set the owner with `COPY --chown`, not with `chown` in a later step.',
  mode: 'Set the mode with `COPY --chmod`, not with `chmod` in a later step.',
  same: 'Give what changes a `COPY --link` of its own, after what does not: the layer was built again with the same files.',
  moved: 'Use a path without the version: the old image has the same files in another directory.',
  archive:
    'Ship layers instead of one archive, as layered jars of Spring Boot are: most entries are as before.',
}

type Fixes = Partial<Record<UpdateCauseName, string>>

/** Where a tool has other means than a Dockerfile with BuildKit. */
const BY_BUILDER: Readonly<Record<Builder, Fixes>> = {
  unknown: {},
  buildkit: {},
  buildah: {
    times: `${TIMES}, or build with \`buildah build --timestamp\`, so that unchanged files keep their times.`,
  },
  kaniko: {
    times: `${TIMES}, or build with kaniko's \`--reproducible\`, so that unchanged files keep their times.`,
  },
  jib: {
    times: `${TIMES} for what runs before jib, and keep jib's \`filesModificationTime\` at EPOCH_PLUS_SECOND.`,
    same: "Keep jib's `containerizingMode` at `exploded`: each rate of change gets a layer, as with a `COPY` of its own.",
  },
  ko: {
    times: `${TIMES}, and \`KO_DATA_DATE_EPOCH\` for \`kodata\`, so that unchanged files keep their times.`,
  },
  nix: {
    times: `${TIMES}, or leave the \`mtime\` of \`dockerTools\` at its default, so that files keep their times.`,
    same: 'Raise `maxLayers` of `buildLayeredImage`: each store path gets a layer, as with a `COPY` of its own.',
  },
  bazel: {
    times: `${TIMES}, or leave the \`mtime\` of the \`tar\` rules at its default, so that files keep their times.`,
    same: 'Split the `tar` rules of `oci_image` by how often files change, as with a `COPY` for each.',
  },
}

export function fixOf(cause: UpdateCauseName, builder: Builder): string {
  return BY_BUILDER[builder][cause] ?? FIXES[cause]
}
