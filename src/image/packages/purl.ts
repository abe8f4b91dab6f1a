/** Package URLs (github.com/package-url/purl-spec), by the rules of each type. */
import { PackageURL } from 'packageurl-js'
import type { FoundPackage } from './found.ts'
import type { Distribution } from './os-release.ts'

/** The namespace if there is no os-release. */
const VENDOR = { deb: 'debian', apk: 'alpine', rpm: undefined } as const

export function purlOf(found: FoundPackage, distribution?: Distribution): string {
  const { type, name, version, architecture } = found
  const distro =
    distribution?.version === undefined ? undefined : `${distribution.id}-${distribution.version}`
  switch (type) {
    case 'deb':
    case 'apk':
      return formatPurl({
        type,
        namespace: distribution?.id ?? VENDOR[type],
        name,
        version,
        qualifiers: { arch: architecture, distro },
      })
    case 'rpm': {
      const { epoch, rest = version } = /^(?<epoch>\d+):(?<rest>.*)$/s.exec(version)?.groups ?? {}
      return formatPurl({
        type,
        namespace: distribution?.id ?? VENDOR[type],
        name,
        version: rest,
        qualifiers: { arch: architecture, distro, epoch },
      })
    }
    case 'npm': {
      const slash = name.startsWith('@') ? name.indexOf('/') : -1
      return formatPurl({
        type,
        namespace: name.slice(0, Math.max(0, slash)),
        name: name.slice(slash + 1),
        version,
      })
    }
    case 'pypi':
      return formatPurl({ type, name: name.toLowerCase().replaceAll('_', '-'), version })
    case 'composer': {
      const slash = name.lastIndexOf('/')
      const [vendor, project] = [name.slice(0, Math.max(0, slash)), name.slice(slash + 1)]
      return formatPurl({ type, namespace: vendor.toLowerCase(), name: project.toLowerCase(), version })
    }
    case 'maven': {
      const colon = name.indexOf(':')
      return formatPurl({
        type,
        namespace: name.slice(0, Math.max(0, colon)),
        name: name.slice(colon + 1),
        version,
      })
    }
    case 'golang': {
      const slash = name.lastIndexOf('/')
      return formatPurl({
        type,
        namespace: name.slice(0, Math.max(0, slash)),
        name: name.slice(slash + 1),
        version,
      })
    }
    case 'alpm':
      return formatPurl({
        type,
        namespace: distribution?.id ?? 'arch',
        name,
        version,
        qualifiers: { arch: architecture },
      })
    case 'cargo':
    case 'nuget':
    case 'conda':
    case 'generic':
      return formatPurl({ type, name, version })
    case 'gem':
      return formatPurl({ type, name, version, qualifiers: { platform: architecture } })
  }
}

export type Parts = {
  readonly type: string
  readonly namespace?: string | undefined
  readonly name: string
  readonly version: string
  readonly qualifiers?: Readonly<Record<string, string | undefined>>
}

/** The canonical form: parts as their type has them, qualifiers in order, and the same bytes encoded everywhere. */
export function formatPurl({ qualifiers = {}, ...given }: Parts): string {
  const { type, namespace, name, version } = normalized(given)
  const path = [type, ...(namespace ? namespace.split('/') : []), name].map(encode).join('/')
  const query = Object.entries(qualifiers)
    .flatMap(([key, value]) => (value ? [`${key}=${encode(value)}`] : []))
    .sort()
    .join('&')
  return `pkg:${path}${version && `@${encode(version)}`}${query && `?${query}`}`
}

/** By the rules of its type. An image can contain a name that these forbid; it is shown unchanged. */
function normalized({
  type,
  namespace,
  name,
  version,
}: Omit<Parts, 'qualifiers'>): Omit<Parts, 'qualifiers'> {
  try {
    const made = new PackageURL(
      type,
      namespace || undefined,
      name,
      version || undefined,
      undefined,
      undefined,
    )
    return {
      type: made.type,
      namespace: made.namespace ?? undefined,
      name: made.name,
      version: made.version ?? '',
    }
  } catch {
    return { type, namespace, name, version }
  }
}

/** All but letters, digits, `.`, `-`, `_`, `~` and the colon. The library leaves a plus in versions, and encodes colons elsewhere. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':')
}
