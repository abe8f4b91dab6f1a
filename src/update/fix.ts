/** What to change in a build so that an update pulls less, in the terms of the tool that made the image. */
import type { Builder } from './builder.ts'
import type { RewriteCause } from './contents.ts'

export type UpdateCauseName = 'repacked' | 'moved' | 'archive' | RewriteCause

const REPACKED =
  'Use the same builder and compression for each build, and leave `force-compression` off: these layers have the same files as before.'

const TIMES = 'Set SOURCE_DATE_EPOCH, so that files which did not change keep their times'

/** For a Dockerfile, whichever tool builds it. */
const FIXES: Readonly<Record<UpdateCauseName, string>> = {
  repacked: REPACKED,
  times: `${TIMES}, and build with \`--output type=image,rewrite-timestamp=true\`.`,
  owner: 'Set the owner where the files are copied, with `COPY --chown`, not with `chown` in a later step.',
  mode: 'Set the mode where the files are copied, with `COPY --chmod`, not with `chmod` in a later step.',
  same: 'Put what changes into a `COPY` of its own, with `--link`, after what does not: these files are the same as before, and their layer was built again.',
  moved: 'Use a path without the version: the same files are in the old image, in another directory.',
  archive:
    'Ship layers instead of one archive, as the layered jars of Spring Boot do: most of what is in these archives is the same as before.',
}

type Fixes = Partial<Record<UpdateCauseName, string>>

/** Where a tool has other means than a Dockerfile with BuildKit. */
const BY_BUILDER: Readonly<Record<Builder, Fixes>> = {
  unknown: {},
  buildkit: {},
  buildah: { times: `${TIMES}, and build with \`buildah build --timestamp\` or \`--source-date-epoch\`.` },
  kaniko: { times: `${TIMES}, and build with kaniko's \`--reproducible\`.` },
  jib: {
    times: `${TIMES}: in jib, keep \`container.filesModificationTime\` and \`container.creationTime\` at \`EPOCH\`.`,
    same: 'Let jib split dependencies, resources and classes into layers (`containerizingMode` `exploded`), and copy other files with `extraDirectories`, one for each rate of change, as a `COPY` of its own would be.',
  },
  ko: { times: `${TIMES}; ko takes the times of files in \`kodata\` from KO_DATA_DATE_EPOCH.` },
  nix: {
    times: `${TIMES}: in Nix, leave \`mtime\` of \`dockerTools\` at its default.`,
    same: 'Build with `dockerTools.buildLayeredImage` and a higher `maxLayers`: each store path gets a layer of its own, as with a `COPY` for each.',
  },
  bazel: {
    times: `${TIMES}: in Bazel, leave \`mtime\` of the \`tar\` rules at its default.`,
    same: 'Split the `tar` rules of `oci_image` by how often their files change, as with a `COPY` for each.',
  },
}

export function fixOf(cause: UpdateCauseName, builder: Builder): string {
  return BY_BUILDER[builder][cause] ?? FIXES[cause]
}
