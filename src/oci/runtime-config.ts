/**
 * The runtime's `config.json` for an image: how its container starts. Sources: OCI image-spec `conversion.md`; OCI
 * runtime-spec `config.md`; defaults as `runc spec` writes them.
 */
import { Problem } from '../problem.ts'
import type { ImageConfig, RunConfig } from './config.ts'
import { DEFAULT_SPEC, ROOTLESS_SPEC, type RuntimeConfig } from './runtime-defaults.ts'
import type { ContainerUser } from './user.ts'

/** The only user and group of the host that a rootless container can have. */
export type RootlessIds = { readonly uid: number; readonly gid: number }

const ANNOTATION = 'org.opencontainers.image.'

/**
 * @param user as `resolveUser` found them
 * @param rootless to run the container without being root
 * @throws Problem `invalid_image` for another operating system than Linux
 */
export function toRuntimeConfig(
  image: ImageConfig,
  user: ContainerUser,
  rootless?: RootlessIds,
): RuntimeConfig {
  requireLinux(image)
  const { config } = image
  const spec = rootless === undefined ? DEFAULT_SPEC : rootlessSpec(rootless)
  return {
    ...spec,
    process: {
      ...spec.process,
      user: {
        uid: user.uid,
        gid: user.gid,
        ...(user.additionalGids.length > 0 ? { additionalGids: user.additionalGids } : {}),
      },
      args: commandOf(config) ?? spec.process.args,
      env: environmentOf(config, user, spec.process.env),
      cwd: absolute(config.workingDir ?? '/'),
    },
    root: { path: 'rootfs', readonly: false },
    mounts: [...spec.mounts, ...config.volumes.map(volume)],
    annotations: annotationsOf(image),
  }
}

/** @throws Problem `invalid_image`, permanent: the defaults are those of a Linux container */
export function requireLinux({ os }: ImageConfig): void {
  if (os === 'linux') return
  throw new Problem('invalid_image', `the image is for ${os}; a runtime bundle needs linux`, {
    permanent: true,
  })
}

function rootlessSpec({ uid, gid }: RootlessIds): RuntimeConfig {
  const mapping = (hostID: number) => [{ containerID: 0, hostID, size: 1 }]
  return {
    ...ROOTLESS_SPEC,
    linux: { uidMappings: mapping(uid), gidMappings: mapping(gid), ...ROOTLESS_SPEC.linux },
  }
}

function commandOf({ entrypoint = [], cmd = [] }: RunConfig): readonly string[] | undefined {
  const command = [...entrypoint, ...cmd]
  return command.length > 0 ? command : undefined
}

/** The image's own, verbatim; before them the defaults and the user's home, unless the image sets them. */
function environmentOf(
  { env }: RunConfig,
  { home }: ContainerUser,
  defaults: readonly string[],
): readonly string[] {
  const nameOf = (variable: string) => variable.split('=', 1)[0]
  const own = new Set(env.map(nameOf))
  const given = home ? [...defaults, `HOME=${home}`] : defaults
  return [...given.filter((variable) => !own.has(nameOf(variable))), ...env]
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}

/** Docker gives a volume a folder on the host. A bundle has none, so writes go to memory. */
function volume(destination: string) {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=755'] }
}

/** Labels win over derived values, as the specification demands. */
function annotationsOf(image: ImageConfig): Readonly<Record<string, string>> {
  const { config } = image
  const derived: readonly (readonly [string, string | undefined])[] = [
    ['os', image.os],
    ['architecture', image.architecture],
    ['variant', image.variant],
    ['os.version', image.osVersion],
    ['author', image.author],
    ['created', image.created],
    ['stopSignal', config.stopSignal],
    ['exposedPorts', config.exposedPorts.join(',')],
  ]
  const given = derived.filter((pair): pair is [string, string] => !!pair[1])
  return Object.fromEntries([
    ...given.map(([name, value]) => [`${ANNOTATION}${name}`, value]),
    ...Object.entries(config.labels),
  ])
}
